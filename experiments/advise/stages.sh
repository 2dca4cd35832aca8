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
for target in $targets; do
    sweep() { python -m vggexp -m experiment=freeze_$target callback=[] baseline=false "seed=$seeds" \
        'backbone.weights=runs/freeze/digits/source,runs/freeze/pets/source,none' "$@"; }
    for source in digits pets; do # one source a call: advise expects numbers of stages for the source it chooses
        [ -e runs/stages/advice/$target/$source.json ] || python -m vggexp advise experiment=freeze_$target timed=0 \
            backbone.weights=runs/freeze/$source/source output=runs/stages/advice/$target/$source.json
    done
    sweep freeze=none,backbone "run.dir=\"runs/stages/run/$target/\${backbone.weights}/\${choice:freeze}-\${seed}\""
    sweep freeze=stage freeze.stages=1,2,3,4 \
        "run.dir=\"runs/stages/run/$target/\${backbone.weights}/stage\${freeze.stages}-\${seed}\""
done
