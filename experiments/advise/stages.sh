#!/bin/sh
# How many stages to freeze: what advise expects for each number, and what training then reaches.
#   VGGEXP_DATA=<folder that holds oxford-iiit-pet> experiments/advise/stages.sh
#   python experiments/advise/stages.py runs/stages
# A second call continues. TARGETS="digits_localization" runs it alone, SEEDS=1 one seed.
set -e
seeds=${SEEDS:-1,2,3}
targets=${TARGETS:-digits_classification digits_localization pets_localization}
for data in digits pets; do
    [ -e runs/freeze/$data/source/summary.json ] || python -m vggexp experiment=freeze_source_$data
done
[ -e runs/leep/source/digits01/summary.json ] || python -m vggexp experiment=freeze_source_digits callback=[] \
    baseline=false run.dir=runs/leep/source/digits01 data.classes=[0,1]
for target in $targets; do
    sweep() { python -m vggexp -m experiment=freeze_$target callback=[] baseline=false "seed=$seeds" \
        'backbone.weights=runs/freeze/digits/source,runs/freeze/pets/source,runs/leep/source/digits01,none' "$@"; }
    advise() { # a source a call: the estimates are those of the source that advise chooses
        [ -e runs/stages/advice/$target/$1.json ] || python -m vggexp advise experiment=freeze_$target timed=0 \
            backbone.weights=$2 output=runs/stages/advice/$target/$1.json
    }
    advise digits runs/freeze/digits/source
    advise pets runs/freeze/pets/source
    advise digits01 runs/leep/source/digits01
    sweep freeze=none,backbone "run.dir=\"runs/stages/run/$target/\${backbone.weights}/\${choice:freeze}-\${seed}\""
    sweep freeze=stage freeze.stages=1,2,3,4 \
        "run.dir=\"runs/stages/run/$target/\${backbone.weights}/stage\${freeze.stages}-\${seed}\""
done
