#!/bin/sh
# What advise says, and what training then reaches: three sources, two data sets, three boundaries of freeze=stage.
# VGGEXP_DATA=FOLDER experiments/advise/run.sh; FOLDER holds oxford-iiit-pet. A second call continues.
# TASKS=segmentation adds that task's trainings.
set -e
small="backbone=vgg11_bn callback=[] baseline=false trainer.precision=32 trainer.gpus=0"
source=runs/advise/source

learn() { # a source: its name, then its words
    [ -e "$source/$1/summary.json" ] || { name=$1; shift; python -m vggexp "$@" $small "run.name=advise/source/$name"; }
}

learn digits experiment=freeze_source_digits trainer.max_epochs=12
learn pets experiment=freeze_source_pets trainer.max_epochs=20
for data in digits pets; do
    [ -e runs/advise/$data-segmentation.json ] || python -m vggexp advise -m "experiment=glob(freeze_${data}_*)" $small \
        "sources=[$source/digits,$source/pets]" backbone.weights=none timed=0 \
        'output="runs/advise/${choice:data}-${choice:task}.json"'
    for task in ${TASKS:-classification localization}; do
        python -m vggexp -m "experiment=freeze_${data}_$task" $small trainer.max_epochs=2 freeze=stage \
            backbone.weights=$source/digits,$source/pets,none freeze.stages=1,3,5 \
            'run.dir=runs/advise/run/${backbone.weights}/${choice:data}-${choice:task}-${freeze.stages}'
    done
done
