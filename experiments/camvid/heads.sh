#!/bin/sh
# The papers' decoders on CamVid under one small budget: VGG16 with batch norm at an eighth of its width, 96 x 128 pixels,
# 15 epochs, mirror images, median-frequency weights, cosine, averaged weights; three seeds. Beside them a classifier of
# patches, trained for about as long (experiments/patch_vs_dense).
# Then FCN's own experiments: begun from an FCN-32s of another data set, the last layer alone against all layers, and 16s
# and 8s, each begun from the last.
#   experiments/camvid/heads.sh <folder of CamVid> <folder of pets> [seeds, 1,2,3] [more words]
#   python -m vggexp report runs/camvid_heads
set -e
camvid=$1 pets=$2 seeds=${3:-1,2,3}
shift "$(($# < 3 ? $# : 3))"
size='data.image_size=[96,128] data.cache=memory data.workers=0 callback=[]'
small="backbone=vgg16_bn backbone.width=0.125 data.batch_size=8 trainer.max_epochs=15 trainer.val_every=15 scheduler=cosine $size"

# shellcheck disable=SC2086 # several words
run() {
    name=$1
    shift
    python -m vggexp -m experiment=camvid "data.root=$camvid" $small trainer.ema=0.985 "seed=$seeds" \
        loss.class_weight=median_frequency 'data.train_transform=[{Resize:{size:[96,128]}},RandomHorizontalFlip]' \
        "run.name=camvid_heads/\${seed}/$name" "$@"
}

run unet head=unet "$@"
run fcn head=fcn head.hidden=512 "$@"
run segnet head=segnet "$@"
run deconvnet head=deconvnet head.hidden=512 head.window=3 "$@"
# shellcheck disable=SC2086
[ -e runs/camvid_heads/1/patch/summary.json ] || python -m vggexp experiment=patch_camvid "data.root=$camvid" $size trainer.max_epochs=30 trainer.val_every=30 \
    run.name=camvid_heads/1/patch "$@"

source=runs/camvid_heads_source
fcn32='head=fcn head.stride=32 head.hidden=512'
# shellcheck disable=SC2086
[ -e $source/summary.json ] || python -m vggexp task=segmentation data=pets "data.root=$pets" $fcn32 $small \
    "run.dir=$source" "$@"
from="$fcn32 backbone.weights=$source head.weights=$source head.weights_map=fitting"
# shellcheck disable=SC2086
run fcn32 $from "$@"
# shellcheck disable=SC2086
run fcn32-last $from freeze=pattern 'freeze.patterns=head\.score' freeze.invert=true "$@"
for step in 16:32 8:16; do
    last='runs/camvid_heads/${seed}/fcn'${step#*:}
    run "fcn${step%:*}" head=fcn "head.stride=${step%:*}" head.hidden=512 "backbone.weights=$last" "head.weights=$last" \
        head.weights_map=fitting optimizer.lr=1.0e-4 "$@"
done
