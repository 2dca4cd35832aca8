"""The verb: what it prints and writes, and one line for each mistake, without torch."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
TINY = (
    "image_size=[32,32]",
    "width=0.05",
    "hidden=8",
    "batch_size=4",
    "images=8",
    "repeats=2",
    "gpus=0",
    "precision=32",
)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("fine_tuen",), 2, "work has no 'fine_tuen'; did you mean 'fine_tune'?"),
        (("against=plane",), 2, "against has no 'plane'; did you mean 'plain'?"),
        (("work=[data,segmnt]",), 2, "work has no 'segmnt'; did you mean 'segment'?"),
        (("repeat=2",), 2, "there is no key 'repeat'; did you mean 'repeats'?"),
        (("repeats=0",), 2, "repeats=0 is not a whole number of at least 1"),
        (("precision=b16",), 2, "precision=b16 is not known"),
        (("image_size=[16,16]",), 2, "give [height, width] of 32 or more"),
        (("output=bench.txt",), 2, "give a file that ends in .json"),
        (("root=nowhere",), 1, "nowhere holds no oxford-iiit-pet"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_line(words: tuple[str, ...], code: int, said: str, vggexp: Vggexp) -> None:
    found, out, errors = vggexp("benchmark", *words)
    assert (found, out, errors.count("\n")) == (code, "", 1)
    assert said in errors


@pytest.mark.slow
def test_data_is_measured_in_processes_of_their_own(vggexp: Vggexp, tmp_path: Path) -> None:
    code, out, errors = vggexp("benchmark", "data", *TINY, "output=bench.json")
    assert code == 0, errors
    assert "plain" in out
    content = json.loads((tmp_path / "bench.json").read_text())
    (row,) = content["rows"]
    assert set(row) == {"work", "against", "ratio", "low", "high", "share_of_peak", "memory_ratio"}
    assert (row["work"], row["against"], row["share_of_peak"]) == ("data", "plain", None)
    assert 0 < row["low"] <= row["ratio"] <= row["high"]
    assert content["versions"]["torch"]
    assert len(content["rounds"]["data"]) == 2
    assert "data" in (tmp_path / "bench.html").read_text()


@pytest.mark.slow
def test_a_contestant_that_fails_says_why(vggexp: Vggexp, tmp_path: Path) -> None:
    (tmp_path / "oxford-iiit-pet").mkdir()
    code, _, errors = vggexp("benchmark", "data", *TINY, f"root={tmp_path}")
    assert code == 1
    assert "benchmark: against.ours failed: " in errors
    assert "trainval.txt is missing" in errors


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fine_tune", "frozen_linear", "startup"])
def test_a_family_end_to_end(name: str, vggexp: Vggexp) -> None:
    code, out, errors = vggexp("benchmark", name, *TINY, "sample=4", "epochs=2")
    assert code == 0, errors
    assert "plain" in out


def test_the_parent_needs_no_torch(tmp_path: Path) -> None:
    program = "import sys; import vggexp.command.benchmark; print(sorted({'torch', 'numpy'} & {*sys.modules}))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
