"""Arguments that only torch can refuse are refused before the data are read and the folder is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("optimizer.betas=[1,2]", "optimizer: Invalid beta parameter at index 0: 1"),
        ("optimizer.betas=[0.9]", "optimizer: a list among its arguments is too short"),
        (
            "data.train_transform=[{RandomResizedCrop: {size: [8,8]}}]",
            "data.train_transform gives images of 8 x 8 (height x width), and VGG halves an image five times; let it "
            "end at 32 x 32 or more",
        ),
    ],
)
def test_refused(word: str, line: str, tiny: Vggexp) -> None:
    code, out, errors = tiny(word, "baseline=false", "run.dir=run")
    assert (code, out, errors) == (2, "", f"vggexp: error: {line}\n")
    assert not Path("run").exists()
