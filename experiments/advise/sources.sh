#!/bin/sh
# Does a score order sources as training does? Eight classifiers as sources of one target, the digits 5 to 9.
# VGGEXP_DATA=FOLDER experiments/advise/sources.sh; FOLDER holds oxford-iiit-pet. A second call continues.
#   python experiments/advise/sources.py runs/leep
set -e
learn() { # a source: its name, then its words
    [ -e "runs/leep/source/$1/summary.json" ] || { name=$1; shift; python -m vggexp experiment=freeze_source_digits \
        callback=[] baseline=false "run.dir=runs/leep/source/$name" "$@"; }
}

for data in digits pets; do
    [ -e runs/freeze/$data/source/summary.json ] || python -m vggexp experiment=freeze_source_$data
done
for epochs in 1 3 8; do learn epochs$epochs trainer.max_epochs=$epochs; done
learn digits01 data.classes=[0,1]
learn digits012 data.classes=[0,1,2]
learn digits34 data.classes=[3,4]
sources=runs/freeze/digits/source,runs/freeze/pets/source
for name in epochs1 epochs3 epochs8 digits01 digits012 digits34; do sources=$sources,runs/leep/source/$name; done
[ -e runs/leep/advice.json ] || python -m vggexp advise experiment=freeze_digits_classification "sources=[$sources]" \
    backbone.weights=none timed=0 output=runs/leep/advice.json
python -m vggexp -m experiment=freeze_digits_classification callback=[] baseline=false freeze=backbone \
    "backbone.weights=$sources" seed=1,2,3 'run.dir=runs/leep/run/${backbone.weights}/${choice:freeze}-${seed}'
