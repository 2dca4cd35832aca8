"""Sample photos with their annotations: whole, and as a network gets them in training."""

import base64
import io
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.boxes import from_edges
from vggexp.sample.files import Files
from vggexp.sample.record.photo_source import PhotoSource
from vggexp.sample.record.photos import Photos
from vggexp.task.drawing import blend_mask, draw_box, legible
from vggexp.types import Sample

SIDE = 320
"""Maximum longer side of a picture, pixels."""


@dataclass(frozen=True)
class Shot:
    """One photo."""

    name: str
    label: str
    """Its class; "" if it has none, or several."""
    whole: str
    """A picture as a data URI: the photo with all its boxes and its mask."""
    augmented: str
    """After the training's transform, with the target that a task of one object takes."""


def shots(data: Photos, count: int) -> list[Shot]:
    """The first photos of the training split with all targets that the data provides.

    Raises:
        DataError: a photo or an annotation cannot be read.
    """
    needs = data.provides
    files = data.split("train", needs, augment=True)
    before = torch.random.get_rng_state()
    torch.manual_seed(0)
    found = [_shot(data, files, place) for place in range(min(count, len(files)))]
    torch.random.set_rng_state(before)
    return found


def _shot(data: Photos, files: Files, place: int) -> Shot:
    source = files.reader
    assert isinstance(source, PhotoSource)
    label = source.targets[place]
    name = "" if label is None else data.info.classes[label.label]
    return Shot(source.records[place].name, name, _whole(data, source, place), _augmented(data, files[place], name))


def _whole(data: Photos, source: PhotoSource, place: int) -> str:
    stored = source.read(place, _unshrunk)
    image: Tensor = stored["image"]
    height, width = image.shape[-2:]
    mask, scale = stored.get("mask"), max(1, max(height, width) // SIDE)
    image = image[:, ::scale, ::scale]
    if mask is not None:
        image = blend_mask(image, mask[::scale, ::scale], len(data.info.mask_classes))
    image = legible(image, 224)
    for name, edges in source.boxes(place):
        image = draw_box(image, from_edges(edges / torch.tensor([width, height, width, height])), label=name)
    return _picture(image)


def _augmented(data: Photos, sample: Sample, label: str) -> str:
    image: Tensor = legible(sample["image"], 224)
    if "mask" in sample:
        image = blend_mask(image, sample["mask"], len(data.info.mask_classes))
    if "box" in sample:
        image = draw_box(image, sample["box"], label=label)
    return _picture(image)


def _unshrunk(height: int, width: int) -> int:
    return 1


def _picture(image: Tensor) -> str:
    """A picture as a data URI."""
    picture: Image.Image = to_pil_image(image)
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=1)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
