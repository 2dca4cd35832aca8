"""Run folders that a kill, a full disk or a stranger has left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.conftest import Refused
from tests.report.conftest import make_run  # noqa: F401

Vggexp = Callable[..., tuple[int, str, str]]


def part(name: str, key: str, value: Any) -> Callable[[Path], None]:
    """Replace a value in a JSON file of the run; ``key`` may be dotted."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        *above, last = key.split(".")
        place = content
        for each in above:
            place = place[each]
        place[last] = value
        (folder / name).write_text(json.dumps(content))

    return change


def text(name: str, content: str) -> Callable[[Path], None]:
    """Replace a file of the run."""
    return lambda folder: (folder / name).write_text(content) and None


def cut(name: str, share: float = 0.6) -> Callable[[Path], None]:
    """Cut a file of the run off."""
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: int(share * (folder / name).stat().st_size)]
    ) and None  # fmt: skip


def folder_in_place_of(name: str) -> Callable[[Path], None]:
    """A folder where a file belongs."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


BROKEN: dict[str, Callable[[Path], None]] = {
    "summary-cut": cut("summary.json"), "summary-empty": text("summary.json", ""),
    "summary-list": text("summary.json", "[]"), "summary-null": text("summary.json", "null"),
    "summary-binary": lambda folder: (folder / "summary.json").write_bytes(b"\xff\0") and None,
    "summary-deep": text("summary.json", "[" * 100_000),
    "summary-folder": folder_in_place_of("summary.json"),
    "choice-null": part("summary.json", "choice", None), "choice-list": part("summary.json", "choice", []),
    "choice-empty": part("summary.json", "choice", {}), "task-list": part("summary.json", "choice.task", ["x"]),
    "seed-text": part("summary.json", "seed", "x"), "seed-null": part("summary.json", "seed", None),
    "metrics-null": part("summary.json", "metrics", None), "metrics-text": part("summary.json", "metrics", "x"),
    "score-text": part("summary.json", "metrics.test/miou", "high"),
    "score-list": part("summary.json", "metrics.test/miou", [1]),
    "objective-null": part("summary.json", "objective", None),
    "metric-number": part("summary.json", "objective.metric", 5),
    "baseline-null": part("summary.json", "baseline", None),
    "parameters-text": part("summary.json", "trainable_parameters", "x"),
    "seconds-text": part("summary.json", "seconds", "x"), "seconds-list": part("summary.json", "seconds", []),
    "drift-list": part("summary.json", "drift", [1]), "versions-null": part("summary.json", "versions", None),
    "config-empty": text("config.yaml", ""), "config-number": text("config.yaml", "5"),
    "config-cut": cut("config.yaml"), "config-no-yaml": text("config.yaml", "a: ["),
    "config-object": text("config.yaml", "!!python/object/apply:os.system ['touch x']"),
    "rows-cut": cut("metrics.jsonl"), "rows-null": text("metrics.jsonl", "null\n5\n[]\n"),
    "rows-text": text("metrics.jsonl", '{"epoch": "x", "val/miou": "high"}\n'),
    "rows-no-epoch": text("metrics.jsonl", '{"val/miou": 0.5}\n'),
    "rows-binary": lambda folder: (folder / "metrics.jsonl").write_bytes(b"\xff\xfe\0\n") and None,
    "freeze-cut": cut("freeze.csv"), "freeze-text": text("freeze.csv", "epoch,part\nx,y\n"),
    "freeze-huge": text("freeze.csv", "epoch,part\n" + "9" * 200_000 + ",a\n"),
    "freeze-binary": lambda folder: (folder / "freeze.csv").write_bytes(b"\xff\0\n") and None,
    "prediction-empty": text("prediction/test.json", ""), "prediction-list": text("prediction/test.json", "[]"),
    "prediction-no-kinds": text("prediction/test.json", '{"split": "test"}'),
    "prediction-outside": part("prediction/test.json", "images", [{"index": 0, "image": "../../../secret.webp"}]),
    "prediction-no-image": lambda folder: (folder / "prediction" / "test" / "1.webp").write_bytes(b"x") and None,
}  # fmt: skip


def test_one_broken_run_among_many(make_run: Any, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The page and the table show the sound ones, and each that is left out is named."""
    for name in ("sound", "sound2"):
        make_run(name, diagnostics=True)
    for name, damage in BROKEN.items():
        damage(make_run(name, diagnostics=True))
    code, out, errors = vggexp("report", "runs")
    assert code == 0, errors
    assert "Traceback" not in errors
    page = Path("runs/report.html").read_text()
    for name in ("sound", "sound2"):
        assert name in out
        assert f">{name}<" in page or f'"{name}"' in page
    for line in errors.splitlines():
        assert " is left out: its files are damaged (" in line
    assert not Path("x").exists()
    shown = {name for name in BROKEN if name in page}
    said = {name for name in BROKEN if f"vggexp: {name} is left out" in errors}
    assert shown | said == set(BROKEN)


@pytest.mark.parametrize("name", sorted(BROKEN)[:12])
def test_a_broken_run_alone(name: str, make_run: Any, vggexp: Vggexp) -> None:  # noqa: F811
    BROKEN[name](make_run("a", diagnostics=True))
    code, _, errors = vggexp("report", "runs", "page=false")
    assert code in (0, 1)
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no config of a run"),
        ("5", "holds no config of a run"),
        ("a: [", "config.yaml cannot be read"),
        ("a: 2001-99-99", "config.yaml cannot be read"),
        ("\0\1", "config.yaml cannot be read"),
        ("!!python/object/apply:os.system ['touch x']", "config.yaml cannot be read"),
        ("[" * 5000, "config.yaml cannot be read"),
        ("choice: null", "run.dir"),
        ("choice: {}", ""),
        ("choice: {task: classification}\noptimizer: {_target_: os.system}", "os.system"),
        ("choice: {task: classification}\nrun: ${oc.env:HOME}", "computes a value"),
    ],
)
def test_a_rerun_of_a_broken_config(content: str, message: str, refused: Refused) -> None:
    Path("a").mkdir()
    Path("a/config.yaml").write_text(content)
    Path("a/metrics.jsonl").write_text("")
    refused(["rerun", "a", "run.dir=b"], 1 if "config.yaml" in message or "holds no" in message else 2, message)
    assert not Path("x").exists()
