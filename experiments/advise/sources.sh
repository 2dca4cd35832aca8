#!/bin/sh
# Does a score order sources as training does? Eight classifiers, and random weights, as sources of each target.
#   VGGEXP_DATA=<folder that holds oxford-iiit-pet> experiments/advise/sources.sh <CamVid> <BCCD>
#   python experiments/advise/sources.py runs/leep
# A second call continues. TARGETS="digits_classification bccd" runs these alone.
set -e
camvid=$1 bccd=$2
targets=${TARGETS:-digits_classification pets_localization objects_detection objects_instances bccd camvid}
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
for target in $targets; do
    case $target in
        camvid) root="data.root=$camvid" ;;
        bccd) root="data.root=$bccd" ;;
        *) root= ;;
    esac
    # shellcheck disable=SC2086 # no word, or one
    [ -e runs/leep/$target.json ] || python -m vggexp advise experiment=freeze_$target $root "sources=[$sources]" \
        backbone.weights=none timed=0 output=runs/leep/$target.json
    # shellcheck disable=SC2086
    python -m vggexp -m experiment=freeze_$target $root callback=[] baseline=false freeze=backbone \
        "backbone.weights=$sources,none" seed=1,2,3 "run.dir=\"runs/leep/run/$target/\${backbone.weights}/\${seed}\""
done
