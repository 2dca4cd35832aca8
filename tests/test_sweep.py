"""A sweep that is repeated trains only what is missing."""

import json
from collections.abc import Callable
from pathlib import Path

Tiny = Callable[..., tuple[int, str, str]]
WORDS = ("-m", "seed=1,2", "trainer.max_epochs=1", "run.name=s${seed}")


def test_a_repeated_sweep_skips_what_is_finished_and_trains_the_rest(tiny: Tiny) -> None:
    assert tiny(*WORDS)[0] == 0
    Path("runs/s2/summary.json").unlink()
    Path("runs/s2/metrics.jsonl").unlink()
    before = Path("runs/s1/summary.json").read_bytes()
    code, out, errors = tiny(*WORDS)
    assert code == 0, errors
    assert "runs/s1: finished before, skipped" in out
    assert Path("runs/s1/summary.json").read_bytes() == before
    assert json.loads(Path("runs/s2/summary.json").read_text())["seed"] == 2


def test_a_finished_run_of_another_config_is_no_reason_to_skip(tiny: Tiny) -> None:
    assert tiny(*WORDS, "seed=1")[0] == 0
    code, _, errors = tiny(*WORDS, "seed=1", "optimizer.lr=0.5")
    assert code == 2
    assert "runs/s1 holds a finished run" in errors


def test_a_single_run_never_skips(tiny: Tiny) -> None:
    assert tiny("trainer.max_epochs=1", "run.dir=one")[0] == 0
    code, _, errors = tiny("trainer.max_epochs=1", "run.dir=one")
    assert code == 2
    assert "one holds a finished run" in errors
