"""``explain``: pictures of what a finished run looks at in photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.command.predict import view_of
from vggexp.command.restore import Restored, restore
from vggexp.deploy.explain.grad_cam import grad_cam, require_captum
from vggexp.deploy.explain.pictures import fields_over, filters_grid, heat_over, maps_grid
from vggexp.deploy.explain.receptive_field import Field, receptive_fields
from vggexp.deploy.explain.targets import targets
from vggexp.deploy.predict.photos import Photo, load
from vggexp.errors import ConfigError
from vggexp.sample.image_files import find_images
from vggexp.task.drawing import legible, save, save_picture

Config = Mapping[str, Any]
FIRST = 2
"""The number of first stages whose feature maps and filters are shown."""


@dataclass(frozen=True)
class Explained:
    """A run, and what is the same for all photos."""

    restored: Restored
    fields: list[Field]
    """Of each stage; empty if the backbone is no chain."""
    output: Path


def run(config: Config) -> int:
    """Write the pictures of each photo into a folder of its name. 1 if a photo could not be read."""
    require_captum()
    restored = restore(Path(config["checkpoint"]), config["override"], config["trust"])
    stages = restored.learner.backbone.stages()
    if config["stage"] > len(stages):
        raise ConfigError(f"stage={config['stage']}: the backbone has {len(stages)} stages")
    output = Path(str(config["output"])) if config["output"] else restored.folder / "explain"
    explained = Explained(restored, _fields(stages), output)
    files, left_out = find_images(config["input"], leave_out=output), 0
    view = view_of(restored)
    restored.learner.to("cpu").eval()
    for group in load(files, view, batch_size=1, workers=0):
        for photo, seen in zip(group.photos, group.seen, strict=False):
            _explain(explained, photo, seen.unsqueeze(0), config)
        for message in group.unread:
            print(f"not read: {message}")
            left_out += 1
    _filters(explained, config["channels"])
    print(output)
    return int(left_out > 0)


def _fields(stages: tuple[nn.Module, ...]) -> list[Field]:
    try:
        return receptive_fields(stages)
    except ValueError as error:
        print(f"no receptive fields: {error}")
        return []


def _explain(explained: Explained, photo: Photo, image: Tensor, config: Config) -> None:
    """The pictures of one photo."""
    learner, restored = explained.restored.learner, explained.restored
    folder = explained.output / photo.file.name
    folder.mkdir(parents=True, exist_ok=True)
    assert photo.preview is not None
    shown, window = torch.from_numpy(photo.preview), photo.window
    with torch.inference_mode():
        found = {name: value[0] for name, value in learner.task.predict(learner(image)).items()}
    point, names = None, []
    for name, target in targets(restored.config, restored.info, found, config["classes"]):
        heat = grad_cam(learner, image, config["stage"], target)[0]
        point = point or _hottest(heat)
        names.append(name)
        save_picture(legible(heat_over(shown, heat, window)), folder / f"grad_cam-{_as_file(name)}.jpg")
    if explained.fields:
        size = (image.shape[-2], image.shape[-1])
        picture = fields_over(shown, explained.fields, point or (0.5, 0.5), size, window)
        save_picture(picture, folder / "receptive_field.jpg")
    with torch.inference_mode():
        maps = learner.backbone(learner.backbone.normalize(image)).stages[:FIRST]
    for stage, one in enumerate(maps, 1):
        save(maps_grid(one[0], config["channels"]), folder / f"features-stage{stage}.png")
    print(f"{photo.file.path}: {', '.join(names)}")


def _hottest(heat: Tensor) -> tuple[float, float]:
    """The centre (y, x) of the hottest cell, as shares of the map."""
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    return (row + 0.5) / heat.shape[0], (column + 0.5) / heat.shape[1]


def _filters(explained: Explained, count: int) -> None:
    """The first convolution's filters of each of the first stages."""
    for stage, module in enumerate(explained.restored.learner.backbone.stages()[:FIRST], 1):
        first = next((layer for layer in module.modules() if isinstance(layer, nn.Conv2d)), None)
        if first is not None:
            explained.output.mkdir(parents=True, exist_ok=True)
            save(filters_grid(first.weight.detach(), count), explained.output / f"filters-stage{stage}.png")


def _as_file(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_ ." else "_" for sign in name)
