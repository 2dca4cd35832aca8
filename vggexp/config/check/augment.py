"""Checks that what changes the training images, their order and their labels fits the task."""

from collections.abc import Iterator, Mapping
from typing import Any

from vggexp.config.check.parts import needs
from vggexp.errors import ConfigError

Config = Mapping[str, Any]

IMAGE_ALONE = {
    "AugMix": "mixes several versions of the image, and a {} fits only one of them",
    "RandomErasing": "erases a part of the image, and leaves it in its {}",
}
"""Steps of a recipe that no box or mask can follow, and why."""


def check_augment(config: Config) -> None:
    """Check the training's recipe."""
    targets = sorted(needs(config) & {"box", "mask", "objects"})
    recipe = config["data"]["train_transform"]
    for name in _names(recipe) if targets else ():
        if name in IMAGE_ALONE:
            raise ConfigError(
                f"data.train_transform: {name} {IMAGE_ALONE[name].format(targets[0])}; leave it out for "
                f"task={config['choice']['task']}"
            )
    if (option := config["choice"].get("augment")) not in (None, "none") and config["trainer"]["overfit_batches"]:
        raise ConfigError(
            f"augment={option} has no effect with trainer.overfit_batches: these batches are repeated as they are"
        )


def check_mix(config: Config) -> None:
    """Check that the task's targets can be mixed, and that a batch has something to mix."""
    option, task = config["choice"].get("mix"), config["choice"]["task"]
    if option in (None, "none"):
        return
    mixes = config.get("mix", {}).get("mixes", ["label"])  # configs of older runs lack the key
    if "objects" in mixes and (others := sorted(needs(config) - set(mixes))):
        raise ConfigError(
            f"mix={option} lays images with their objects side by side, and task={task} needs {' and '.join(others)}; "
            f"choose mix=none, or task=detection"
        )
    if "label" in mixes and (others := sorted(needs(config) - {"label"})):
        raise ConfigError(
            f"mix={option} mixes whole images and their labels, and task={task} needs {' and '.join(others)}; "
            f"choose mix=none, or task=classification"
        )
    if config["data"]["batch_size"] == 1:
        raise ConfigError(f"mix={option} mixes the images of a batch, and data.batch_size=1 gives one; give 2 or more")


def check_sampling(config: Config) -> None:
    """Check that the task reads the label by which images are drawn, and that they are drawn."""
    if config["data"].get("sampling", "shuffle") == "shuffle":
        return
    if "label" not in needs(config):
        raise ConfigError(
            f"data.sampling={config['data']['sampling']} draws photos by their label, and "
            f"task={config['choice']['task']} does not read it; choose data.sampling=shuffle"
        )
    if config["trainer"]["overfit_batches"]:
        raise ConfigError(
            f"data.sampling={config['data']['sampling']} has no effect with trainer.overfit_batches, which repeats the "
            f"first batches; leave it out"
        )


def _names(recipe: Any) -> Iterator[str]:
    """The name of each step of a recipe, and of the steps inside it; what is no recipe is for the builder to refuse."""
    for step in recipe if isinstance(recipe, list) else ():
        if isinstance(step, str):
            yield step
        elif isinstance(step, Mapping):
            for name, arguments in step.items():
                yield str(name)
                yield from _names(arguments.get("transforms") if isinstance(arguments, Mapping) else None)
