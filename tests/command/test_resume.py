"""What ``resume`` can change, and a run that is extended."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "baseline=false", "optimizer.lr=0.01", "test=false")


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("optimizer.lr=0.5", "the checkpoint holds the optimizer's rates"),
        ("backbone.width=0.5", "the checkpoint holds the weights"),
        ("seed=9", "its epochs so far were trained with another value"),
        ("trainer.max_epochs=1", "a is finished; to train it longer: python -m vggexp resume a trainer.max_epochs=N"),
    ],
)
def test_a_change_that_cannot_take_effect_is_refused(word: str, why: str, stub: object, vggexp: Vggexp) -> None:
    assert vggexp("run.dir=a", "trainer.max_epochs=1")[0] == 0
    Path("a/checkpoint").mkdir()
    Path("a/checkpoint/last.ckpt").touch()
    code, _, errors = vggexp("resume", "a", word)
    assert (code, why in errors) == (2, True), errors


def rates(folder: Path) -> list[float]:
    """The head's rate in each epoch's last step."""
    with (folder / "freeze.csv").open() as file:
        return [float(row["learning_rate"]) for row in csv.DictReader(file) if row["part"] == "head"]


@pytest.mark.parametrize(
    "schedule",
    ["one_cycle", "plateau"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in ("constant", "step", "multistep", "cosine", "poly")],
)
def test_an_extended_run_follows_the_schedule_of_its_new_length(
    schedule: str, train_tiny: Callable[..., Path], vggexp: Vggexp
) -> None:
    words = (*SMALL, f"scheduler={schedule}", *(["scheduler.every=2"] if schedule == "step" else []))
    short = train_tiny(*words, "trainer.max_epochs=2", name="short")
    first = rates(short)
    whole = train_tiny(*words, "trainer.max_epochs=4", name="whole")
    code, _, errors = vggexp("resume", "short", "trainer.max_epochs=4")
    assert code == 0, errors
    assert rates(short) == [*first, *rates(whole)[2:]]
    assert json.loads((short / "summary.json").read_text())["config"]["trainer"]["max_epochs"] == 4
    assert len((short / "metrics.jsonl").read_text().splitlines()) == len(
        (whole / "metrics.jsonl").read_text().splitlines()
    )


def test_the_source_of_the_first_weights_may_be_gone(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    source = train_tiny(*SMALL, name="source")
    folder = train_tiny(*SMALL, "backbone.weights=source", name="a")
    source.rename("elsewhere")
    code, out, errors = vggexp("resume", "a", "trainer.max_epochs=2")
    assert code == 0, errors
    assert "its drift is not known" in out
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["drift"] == {}
    assert summary["config"]["backbone"]["weights"] == "source"


def test_files_that_were_cut_short(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    """By a kill, or by a full disk, which ends a file anywhere."""
    folder = train_tiny(*SMALL, name="a")
    (folder / "summary.json").unlink()
    rows = (folder / "metrics.jsonl").read_text()
    for name in ("metrics.jsonl", "freeze.csv"):
        with (folder / name).open("a") as file:
            file.write((folder / name).read_text().splitlines()[-1][:9])
    assert vggexp("report", ".")[0] == 0
    (folder / "config.yaml").write_text("")
    code, out, errors = vggexp("resume", "a", "trainer.max_epochs=2")
    assert code == 0, errors
    assert "its copy in a/checkpoint/last.ckpt takes its place" in out
    lines = (folder / "metrics.jsonl").read_text()
    assert lines.startswith(rows)
    assert all(json.loads(line) for line in lines.splitlines())
    assert len(rates(folder)) == 2


@pytest.mark.parametrize("content", [b"hello\n", b"", b"PK\x03\x04", b"\x80\x02cos\nsystem\n."])
def test_a_file_that_is_no_checkpoint_is_one_line(content: bytes, vggexp: Vggexp) -> None:
    Path("x.ckpt").write_bytes(content)
    code, _, errors = vggexp("evaluate", "x.ckpt")
    assert code == 1
    assert len(errors.splitlines()) == 1
    assert "x.ckpt" in errors
    assert "weights_only" not in errors
