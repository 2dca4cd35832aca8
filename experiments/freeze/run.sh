#!/bin/sh
# The freezing study: every policy at its defaults, three seeds, in each task. A second call continues.
#   VGGEXP_DATA=<folder that holds oxford-iiit-pet> experiments/freeze/run.sh <CamVid> <BCCD>
#   python experiments/freeze/table.py runs/freeze
# TASKS="digits_classification bccd" runs these alone; SEEDS=1 one seed.
set -e
camvid=$1 bccd=$2 seeds=${SEEDS:-1,2,3}
tasks=${TASKS:-digits_classification objects_detection objects_instances camvid bccd pets_localization}
policies=none,backbone,stage,gradual,thaw,linear_probe,norm,bias,surgical,auto,lora,ssf

for source in digits pets; do
    [ -e runs/freeze/$source/source/summary.json ] || python -m vggexp experiment=freeze_source_$source
done
for task in $tasks; do
    case $task in
        camvid) data=camvid root="data.root=$camvid" ;;
        bccd) data=bccd root="data.root=$bccd" ;;
        pets_*) data=pets root= ;;
        *) data=digits root= ;;
    esac
    # shellcheck disable=SC2086 # no word, or one
    sweep() { python -m vggexp -m experiment=freeze_$task $root "seed=$seeds" "$@"; }
    sweep freeze=$policies
    sweep backbone.weights=none "run.name=\"freeze/$data/\${choice:task}/scratch-\${seed}\""
    sweep optimizer.l2_sp=0.01 "run.name=\"freeze/$data/\${choice:task}/l2_sp-\${seed}\""
done
