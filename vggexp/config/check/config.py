"""The checks of one verb's config, in their order."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.check.augment import check_augment, check_mix, check_sampling
from vggexp.config.check.effect import check_effect
from vggexp.config.check.freezing import check_freezing
from vggexp.config.check.keys import check_keys, check_secrets
from vggexp.config.check.machine import check_machine
from vggexp.config.check.parts import check_data, check_image_size, check_parts
from vggexp.config.check.paths import (
    check_checkpoints,
    check_output,
    check_paths,
    check_places,
    check_run,
    check_weights,
)
from vggexp.config.check.ranges import check_numbers
from vggexp.config.check.schema import check_groups, check_schema
from vggexp.config.check.span import check_limits, check_schedule
from vggexp.config.check.targets import check_targets
from vggexp.config.check.words import check_batch_size, check_evaluation, check_formats, check_page, check_words
from vggexp.config.help import TRAINS
from vggexp.errors import require_at_least
from vggexp.sample.image_files import find_images


def check_values(config: Mapping[str, Any]) -> None:
    """Raise a ConfigError for the first value in a training's config that its key does not take."""
    check_groups("train", config)
    check_numbers(config)
    check_schema("train", config)


def check(verb: str, config: Mapping[str, Any]) -> None:
    """Raise a ConfigError for the first thing in a verb's config that cannot work."""
    check_secrets(config)
    check_groups(verb, config)
    check_numbers(config)
    if verb in TRAINS:
        check_keys(config)
    check_schema(verb, config)
    check_paths(config)
    check_targets(config)
    if "task" in config:
        check_parts(config)
    if verb in TRAINS:
        check_words(config)
        check_limits(config)
        check_schedule(config)
        check_data(config)
        check_augment(config)
        check_mix(config)
        check_sampling(config)
        check_machine(config)
        check_freezing(config)
    if verb == "summary":
        check_image_size(config)
        for key in ("classes", "mask_classes"):
            require_at_least(f"data.{key}", config["data"][key], 0)
    if verb == "train":
        check_run(config)
    if "backbone" in config:
        check_weights(config)
    check_batch_size(verb, config)
    check_effect(verb, config)
    check_checkpoints(verb, config)
    check_places(verb, config)
    if "evaluation" in config:
        check_evaluation(config)
    check_page(verb, config)
    if verb == "predict":
        check_output(config)
    if verb == "explain":
        find_images(config["input"])
    if verb == "export":
        check_formats(config)
        if config["input"] is not None:
            find_images(config["input"])
