"""Turns recipes from YAML into torchvision.transforms.v2 transforms, and checks names and arguments.

A recipe is a list of steps, each a transform's name or ``{name: arguments}``; ``Fit`` and those in
``TRAINING`` are this project's::

    - RandomResizedCrop: {size: [224, 224], scale: [0.5, 1.0]}
    - RandomHorizontalFlip
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from torchvision.transforms import v2

from vggexp.errors import ConfigError, did_you_mean, first_line
from vggexp.sample.auto_augment import AutoAugment
from vggexp.sample.center_crop import CenterCrop
from vggexp.sample.centre_patch import CentrePatch
from vggexp.sample.crop import Crop
from vggexp.sample.fit import Fit
from vggexp.sample.jitter import Jitter
from vggexp.sample.labels import Labels
from vggexp.sample.object_crop import ObjectCrop
from vggexp.sample.resize import Recipe, plain
from vggexp.sample.rotation import rotation
from vggexp.sample.scale_jitter import ColourShift, ShorterSide
from vggexp.types import VOID

OWN = {
    "RandomResizedCrop": Crop,
    "ColorJitter": Jitter,
    "CenterCrop": CenterCrop,
    "RandomRotation": rotation,
    **dict.fromkeys(("AutoAugment", "RandAugment", "TrivialAugmentWide"), AutoAugment),
}
"""Transforms of this project that replace torchvision's: they are faster, or move boxes correctly."""
TRAINING = {
    "CentrePatch": CentrePatch,
    "ObjectCrop": ObjectCrop,
    "ShorterSide": ShorterSide,
    "ColourShift": ColourShift,
}
"""Steps from papers that torchvision does not have; each module names its paper."""
SCALING = ("Fit", "Resize", "RandomResizedCrop", "RandomResize", "RandomShortestSize", "ScaleJitter")
NEAREST = ("nearest", 0, v2.InterpolationMode.NEAREST)


def pipeline(recipe: Recipe) -> v2.Transform:
    """Build one torchvision transform from a recipe."""
    steps = [_step(name, arguments) for name, arguments in named_steps(recipe)]
    return v2.Compose(steps) if steps else v2.Identity()


def named_steps(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each step's name and arguments."""
    for step in recipe:
        if isinstance(step, str):
            yield step, {}
            continue
        name, arguments = next(iter(step.items())) if isinstance(step, Mapping) and len(step) == 1 else (None, None)
        if name is None or not isinstance(arguments, Mapping | None):
            raise ConfigError(f"a transform is a name or one {{name: {{argument: value}}}}, not {step!r}")
        yield name, arguments or {}


def _step(name: str, given: Mapping[str, Any]) -> v2.Transform:
    kinds = {key: kind for key, kind in vars(v2).items() if inspect.isclass(kind) and issubclass(kind, v2.Transform)}
    kinds |= {"Fit": Fit, **TRAINING}
    if name not in kinds:
        raise ConfigError(f"torchvision.transforms.v2 has no transform {name!r}{did_you_mean(name, kinds)}")
    known = inspect.signature(kinds[name]).parameters
    for argument in given:
        if argument not in known:
            raise ConfigError(f"transform {name} has no argument {argument!r}{did_you_mean(argument, known)}")
    arguments = dict(given)
    if "transforms" in arguments:  # RandomApply, RandomChoice, RandomOrder: recipes in a recipe
        arguments["transforms"] = [_step(*inner) for inner in named_steps(arguments["transforms"])]
    if name in SCALING and arguments.get("interpolation") in NEAREST:
        # torch's "nearest" shifts an image by half a pixel against its box; Pillow's is torch's "nearest-exact".
        arguments["interpolation"] = v2.InterpolationMode.NEAREST_EXACT
    if "fill" in known and not isinstance(arguments.get("fill"), Mapping):
        # The padding has no class: with torchvision's default fill, it would be labelled class 0, background.
        arguments["fill"] = {Labels: VOID, "others": arguments.get("fill", known["fill"].default)}
    try:
        built = kinds[name](**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"transform {name}: {first_line(error)}") from error
    if (same := plain(name, given))[0] != name:
        return _step(*same)
    return OWN[name](built) if name in OWN else built
