#!/bin/sh
# What advise says, and what training then reaches: three sources, three tasks, two data sets, three boundaries.
# VGGEXP_DATA=FOLDER experiments/advise/run.sh; FOLDER holds oxford-iiit-pet. A second call continues.
set -e
small="backbone=vgg11_bn callback=[] baseline=false trainer.precision=32 trainer.gpus=0"
source=runs/advise/source
experiments=
for task in classification localization segmentation; do
    experiments=$experiments,freeze_digits_$task,freeze_pets_$task
done

learn() { # a source: its name, then its words
    [ -e "$source/$1/summary.json" ] || { name=$1; shift; python -m vggexp "$@" $small "run.name=advise/source/$name"; }
}

learn digits experiment=freeze_source_digits trainer.max_epochs=12
learn pets experiment=freeze_source_pets trainer.max_epochs=20
[ -e runs/advise/pets-segmentation.json ] || python -m vggexp advise -m "experiment=${experiments#,}" $small \
    "sources=[$source/digits,$source/pets]" backbone.weights=none timed=0 \
    'output="runs/advise/${choice:data}-${choice:task}.json"'
python -m vggexp -m "experiment=${experiments#,}" $small backbone.weights=$source/digits,$source/pets,none \
    trainer.max_epochs=2 freeze=stage freeze.stages=1,3,5 'run.dir=runs/advise/run/${backbone.weights}/${choice:data}-${choice:task}-${freeze.stages}'
