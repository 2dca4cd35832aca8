"""A finished run's config, changed; completed ones are tested by the sweeps that find them again (test_sweep.py)."""

from pathlib import Path
from typing import Any

import pytest

from vggexp.config.recorded import amend, read_config
from vggexp.errors import ConfigError, DataError
from vggexp.run_folder import RunFolder

RECORDED = {"seed": 1, "trainer": {"gpus": None, "precision": 32}, "settings": {}, "text": "${seed}"}


def test_a_key_is_changed_and_the_others_stay_to_the_letter() -> None:
    amended = amend(RECORDED, {"trainer": {"gpus": 0}})
    assert amended == {**RECORDED, "trainer": {"gpus": 0, "precision": 32}}
    assert RECORDED["trainer"] == {"gpus": None, "precision": 32}


def test_a_key_that_the_run_never_had() -> None:
    with pytest.raises(ConfigError, match=r"the run's config has no key 'trainer.gpu'; did you mean 'trainer.gpus'"):
        amend(RECORDED, {"trainer": {"gpu": 0}})


def test_anything_goes_under_an_empty_mapping() -> None:
    assert amend(RECORDED, {"settings": {"new": 1}})["settings"] == {"new": 1}


def test_what_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"config\.yaml cannot be read .*; give a run folder"):
        read_config(RunFolder(tmp_path))


def test_another_image_size_changes_the_recorded_recipes_too() -> None:
    def data(size: list[int], mode: str) -> dict[str, Any]:
        recipe = [{"Fit": {"size": size, "mode": mode}}, "Grayscale"]
        return {"data": {"image_size": size, "resize": mode, "train_transform": recipe, "eval_transform": recipe}}

    recorded = data([64, 64], "squash")
    assert amend(recorded, {"data": {"image_size": [96, 64]}}) == data([96, 64], "squash")
    assert amend(recorded, {"data": {"resize": "crop"}}) == data([64, 64], "crop")
    own = {"data": {"image_size": [96, 64], "eval_transform": []}}
    assert amend(recorded, own)["data"]["eval_transform"] == []
    assert recorded == data([64, 64], "squash")
