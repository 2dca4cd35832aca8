"""torchvision's own Faster R-CNN and SSD300 on VGG16's layers, with mixed precision and channels-last; its ImageFolder.

Their regions, proposals and thresholds are set to ours; Faster R-CNN's anchors and dense layers too. Their images come
as a list of floats, which their ``GeneralizedRCNNTransform`` normalises, resizes (here to the size that they have) and
batches.
"""

from functools import partial
from typing import Any

import torch
from torch import nn
from torchvision.datasets import ImageFolder
from torchvision.models.detection import FasterRCNN, ssd300_vgg16
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign

from vggexp.backbone.vgg import VGG
from vggexp.benchmark.class_folders import class_folders
from vggexp.benchmark.detecting import Detector, batch_of, take_detections
from vggexp.benchmark.limit import dtype_of
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, config_of, device_of, info_of
from vggexp.benchmark.work.detect import words_of


def index(job: Job, rounds: Rounds) -> None:
    """List a folder."""
    with class_folders(job.sample) as root:
        while True:
            rounds.begin()
            ImageFolder(root)
            rounds.end(job.sample)


def detect(job: Job, rounds: Rounds) -> None:
    """Steps and inference of each detector."""
    configs = {name: config_of(words) for name, words in words_of(job).items()}
    detectors = {name: _detector(MODELS[name], config) for name, config in configs.items()}
    (images,) = {config["data"]["batch_size"] for config in configs.values()}
    take_detections(detectors, job.batches, images, rounds)


def faster_rcnn(config: Config, classes: int) -> nn.Module:
    """Faster R-CNN on conv5_3, with RoIAlign to 7 x 7 and VGG's two dense layers."""
    head, (height, width) = config["head"], config["data"]["image_size"]
    vgg = VGG("D", width=config["backbone"]["width"])
    layers = vgg.features[:-1]
    layers.out_channels = vgg.channels[-1]  # type: ignore[assignment]
    sides = tuple(share * min(height, width) for share in head["anchors"])
    return FasterRCNN(  # type: ignore[no-any-return]
        layers,
        min_size=min(height, width),
        max_size=max(height, width),
        rpn_anchor_generator=AnchorGenerator((sides,), (tuple(head["ratios"]),)),
        rpn_post_nms_top_n_test=head["proposals"],
        box_roi_pool=MultiScaleRoIAlign(["0"], head["pool"], 2),
        box_head=TwoMLPHead(vgg.channels[-1] * head["pool"] ** 2, head["hidden"]),
        box_predictor=FastRCNNPredictor(head["hidden"], classes + 1),
        box_score_thresh=head["threshold"],
        box_nms_thresh=head["overlap"],
        box_detections_per_img=head["detections"],
        box_batch_size_per_image=head["samples"],
    )


def ssd(config: Config, classes: int) -> nn.Module:
    """SSD300, with all layers trained."""
    return ssd300_vgg16(  # type: ignore[no-any-return]
        weights=None, weights_backbone=None, num_classes=classes + 1, trainable_backbone_layers=5
    )


MODELS = {"faster_rcnn": faster_rcnn, "ssd": ssd}


def _detector(model: Any, config: Config) -> Detector:
    classes = len(info_of(config).classes)
    device, batch = device_of(config), batch_of(config, classes)
    network: Any = model(config, classes).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=config["optimizer"]["lr"], momentum=0.9)
    targets = [{"boxes": one.boxes, "labels": one.labels + 1} for one in batch["objects"]]
    images = [image.float() / 255 for image in batch["image"]]
    precision = partial(torch.autocast, device.type, torch.bfloat16, enabled=dtype_of(config) != torch.float32)

    def step() -> None:
        network.train()
        optimizer.zero_grad()
        with precision():
            loss = sum(network(images, targets).values())
        loss.backward()
        optimizer.step()

    @torch.inference_mode()
    def infer() -> None:
        network.eval()
        with precision():
            network(images)

    return Detector(step, infer)
