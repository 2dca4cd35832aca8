"""``soup``: the kept run holds the mean of its members, and every other verb can use it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = ("head.hidden=8", "head.pool=1", "trainer.gpus=0", "callback=[diagnostics]")


def weights(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(run / "checkpoint" / "best.ckpt", weights_only=True)["state_dict"]
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("runs/a", "runs/b", "output=o"), "there is no runs/a"),
        (("output=o",), "checkpoints"),
        ((".", ".", "output=o", "kind=best"), "kind=best"),
    ],
)
def test_words_that_cannot_work(words: tuple[str, ...], said: str, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("soup", *words)
    assert code == 2
    assert said in errors


@pytest.mark.slow
def test_the_uniform_average_is_a_run_of_its_own(train_tiny: Callable[..., Path], vggexp: Vggexp) -> None:
    train_tiny(*SMALL, name="start")
    runs = [train_tiny(*SMALL, "backbone.weights=start", f"seed={seed}", name=f"r{seed}") for seed in (1, 2, 3)]
    words = ("soup", *map(str, runs), "kind=uniform", "images=64")
    code, out, errors = vggexp(*words, "output=s")
    assert code == 0, errors
    mean = {name: sum(weights(run)[name] for run in runs) / 3 for name in ("head.classifier.6.weight",)}
    for name, expected in mean.items():
        torch.testing.assert_close(weights(Path("s"))[name], expected)
    summary = json.loads(Path("s/summary.json").read_text())
    assert [one["run"] for one in summary["soup"]["of"]] == ["r1", "r2", "r3"]
    assert "greedy" in out
    assert vggexp("verify", "s")[0] == 0
    code, _, errors = vggexp("evaluate", "s", "output=e.json")
    assert code == 0, errors
    again = json.loads(Path("e.json").read_text())["metrics"]["test/top1"]
    assert again == pytest.approx(summary["metrics"]["test/top1"])
    assert "holds a run" in vggexp(*words, "output=s")[2]
    code, _, errors = vggexp(*words[:-2], "output=g")  # greedy: the best run alone, or more
    assert code == 0, errors
    best = max(json.loads((run / "summary.json").read_text())["metrics"]["val/top1"] for run in runs)
    assert json.loads(Path("g/summary.json").read_text())["metrics"]["val/top1"] >= best - 1e-6
