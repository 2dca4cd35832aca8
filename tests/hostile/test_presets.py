"""YAML of one's own, or of somebody else's, that cannot be."""

from pathlib import Path

import pytest

from tests.hostile.conftest import Refused

GLOBAL = "# @package _global_\n"
CASES = {
    "no YAML": (f"{GLOBAL}seed: [1", "mine.yaml"),
    "a tab": (f"{GLOBAL}seed:\t- 1\n\tb: 2", "mine.yaml"),
    "a list": (f"{GLOBAL}- 1\n- 2", "mine"),
    "a number": (f"{GLOBAL}5", "a single value (int) where keys belong"),
    "a duplicate": (f"{GLOBAL}seed: 1\nseed: 2", "seed"),
    "an object": (f"{GLOBAL}seed: !!python/object/apply:os.system ['touch x']", "mine.yaml, line 2"),
    "no date": (f"{GLOBAL}run: {{name: 2001-99-99}}", "trainer.max_epochs=0"),
    "a text as number": (f"{GLOBAL}seed: seven", "seed=seven is not a whole number"),
    "another option": (f"{GLOBAL}defaults: [override /task: segmentatoin]", "task has no option 'segmentatoin'"),
    "another group": (f"{GLOBAL}defaults: [override /tusk: segmentation]", "tusk"),
    "itself": (f"{GLOBAL}defaults: [mine]", "names itself in its defaults"),
    "bytes": ("\0\1\2", "mine.yaml"),
    "code": (f"{GLOBAL}optimizer: {{_target_: os.system}}", "os.system"),
    "an anchor of nothing": (f"{GLOBAL}seed: *nothing", "mine.yaml"),
    "a wrong type": (f"{GLOBAL}trainer: 5", "trainer"),
    "a wrong nesting": (f"{GLOBAL}data: {{image_size: {{height: 5}}}}", "experiment/mine"),
}


@pytest.mark.parametrize("case", CASES)
def test_presets(case: str, refused: Refused) -> None:
    content, message = CASES[case]
    Path("own/experiment").mkdir(parents=True)
    Path("own/experiment/mine.yaml").write_text(content)
    refused(["--config-dir", "own", "experiment=mine", "trainer.max_epochs=0"], 2, "" if case == "code" else message)
    assert not Path("x").exists()
