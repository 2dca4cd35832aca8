"""Sample photos as a network gets them: with boxes and masks, plain and augmented."""

import base64
import io
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.sample.record.photos import Photos
from vggexp.task.drawing import blend_mask, draw_box, legible
from vggexp.types import Sample


@dataclass(frozen=True)
class Shot:
    """One photo."""

    name: str
    label: str
    plain: str
    """A picture as a data URI: after the evaluation's transform."""
    augmented: str
    """After the training's transform."""


def shots(data: Photos, count: int) -> list[Shot]:
    """The first photos of the training split with all targets that the data provides.

    Raises:
        DataError: a photo or an annotation cannot be read.
    """
    needs = data.provides
    plain, augmented = data.split("train", needs), data.split("train", needs, augment=True)
    records, _ = data.photos("train", needs)
    before = torch.random.get_rng_state()
    torch.manual_seed(0)
    found = [
        Shot(
            records[place].name,
            _label(plain[place], data),
            *(_picture(each[place], data) for each in (plain, augmented)),
        )
        for place in range(min(count, len(records)))
    ]
    torch.random.set_rng_state(before)
    return found


def _label(sample: Sample, data: Photos) -> str:
    if "label" in sample:
        return data.info.classes[int(sample["label"])]
    shown = sample["labels"].nonzero()[:, 0].tolist() if "labels" in sample else []
    return ", ".join(data.info.classes[label] for label in shown)


def _picture(sample: Sample, data: Photos) -> str:
    """The sample's image with its targets drawn on it, as a data URI."""
    image: Tensor = legible(sample["image"], 224)
    if "mask" in sample:
        image = blend_mask(image, sample["mask"], len(data.info.mask_classes))
    if "box" in sample:
        image = draw_box(image, sample["box"], label=_label(sample, data))
    picture: Image.Image = to_pil_image(image)
    picture.thumbnail((320, 320))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=1)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
