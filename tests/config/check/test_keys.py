"""A YAML of one's own that lacks a key ends in one line that names the key and the file."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vggexp.config.check.keys import REQUIRED, check_keys
from vggexp.config.help import CONF
from vggexp.errors import ConfigError


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """A segmentation of digits, without what Hydra adds."""
    choice = {"data": "digits", "backbone": "vgg16", "head": "unet", "task": "segmentation", "loss": "dice",
              "freeze": "none", "optimizer": "adam", "scheduler": "cosine"}  # fmt: skip
    own = {group: yaml.safe_load(Path(CONF, group, f"{option}.yaml").read_text()) for group, option in choice.items()}
    return {"choice": choice, **own}


@pytest.mark.parametrize(("group", "key"), [(group, key) for group, keys in REQUIRED.items() for key in keys])
def test_a_missing_key_is_named_with_its_file(config: dict[str, Any], group: str, key: str) -> None:
    check_keys(config)
    without = copy.deepcopy(config)
    del without[group][key]
    message = f"{group}.{key} is missing; give it in {group}/{config['choice'][group]}.yaml: "
    with pytest.raises(ConfigError, match=re.escape(message)):
        check_keys(without)


def test_a_part_that_lacks_one(config: dict[str, Any]) -> None:
    head = {**config["head"], "part": {"mask": {"_target_": "x"}}}
    with pytest.raises(ConfigError, match=r"head\.part\.mask\.gives is missing; give it in head/unet\.yaml"):
        check_keys({**config, "head": head})


@pytest.mark.parametrize("provides", ["label", ["lable"], None])
def test_targets_are_a_list_of_those_there_are(config: dict[str, Any], provides: Any) -> None:
    with pytest.raises(
        ConfigError,
        match=r"data\.provides=.* must be a list of targets, of \[label, labels, box, mask, objects, object_masks\]",
    ):
        check_keys({**config, "data": {**config["data"], "provides": provides}})
