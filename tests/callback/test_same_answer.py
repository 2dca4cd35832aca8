"""A network that gives every image the same answer is told so, once; one that learns is told nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vggexp.callback.same_answer import Range, columns, joined, same_answer

Tiny = Callable[..., tuple[int, str, str]]
WORDS = ("task=localization", "head.hidden=[16]", "head.pool=1", "callback=[]", "test=false", "scheduler=constant",
         "trainer.limit_val_batches=2", "trainer.max_epochs=3", "run.dir=a")  # fmt: skip
TRUE = torch.tensor([[0.1, 0.2, 0.5, 0.4], [0.3, 0.25, 0.2, 0.7]])


def ranges(**values: Tensor) -> dict[str, Range]:
    return {name.replace("_", " "): (each.amin(0), each.amax(0)) for name, each in values.items()}


@pytest.mark.parametrize(
    ("box", "what", "advice"),
    [
        ([[0.0, 0.0, 1.0, 1.0]] * 2, "the predicted box has the same x, h, w", "sigmoids are at 0 or 1"),
        ([[0.2, 0.2, 0.3, 0.3], [0.3, 0.2, 0.3002, 0.4]], "the predicted box has the same h", "does not tell images"),
        ([[0.2, 0.2, 1.0, 0.3], [0.3, 0.2, 0.9995, 0.4]], "the predicted box has the same h", "sigmoids are at 0 or 1"),
        ([[-0.5, 0.3, 1.0, 1.0]] * 2, "the predicted box has the same x, h, w", "sigmoids"),  # from the centre's format
    ],
)
def test_boxes(box: list[list[float]], what: str, advice: str) -> None:
    """Of the true boxes, y hardly varies, so that it may be the same."""
    found = same_answer(ranges(box=torch.tensor(box), true_box=TRUE))
    assert found is not None
    assert found[0] == what
    assert advice in found[1]


def test_boxes_that_follow_the_image() -> None:
    assert same_answer(ranges(box=TRUE + 0.01, true_box=TRUE)) is None
    assert same_answer(ranges(box=TRUE[:1].repeat(2, 1), true_box=TRUE[:1].repeat(2, 1))) is None


def test_probabilities() -> None:
    label = torch.tensor([[0], [2]])
    same, other = torch.tensor([[0.9, 0.1]] * 2), torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    found = same_answer(ranges(probability=same, true_label=label))
    assert found is not None
    assert found[0] == "the probabilities are the same"
    assert same_answer(ranges(probability=other, true_label=label)) is None
    assert same_answer(ranges(probability=same, true_label=label[:1])) is None
    many = torch.full((2, 1000), 1e-3) * torch.tensor([[1.0], [1.1]])  # of many classes, each has little
    assert same_answer(ranges(probability=many, true_label=label)) is None


def test_what_differs_between_processes_is_not_the_same() -> None:
    one, other = (ranges(box=TRUE[place : place + 1], true_box=TRUE[place : place + 1]) for place in (0, 1))
    assert same_answer(joined([one, other])) is None
    stuck = [{**part, "box": ranges(box=torch.ones(1, 4))["box"]} for part in (one, other)]
    assert same_answer(joined([*stuck, {}])) is not None  # the third had no batch


def test_of_a_box_per_class_the_true_class_counts() -> None:
    boxes = torch.rand(2, 3, 4)
    batch = {"box": TRUE, "label": torch.tensor([2, 0])}
    assert torch.equal(columns({"box_per_class": boxes}, batch)["box"], boxes[[0, 1], [2, 0]])  # type: ignore[arg-type]
    assert columns({"mask": boxes}, batch) == {}  # type: ignore[arg-type]


def test_a_run_that_saturates(tiny: Tiny) -> None:
    code, _, errors = tiny(*WORDS, "optimizer.lr=10")
    assert code == 0, errors
    told = [line for line in errors.splitlines() if "in all 64 validation images" in line]
    assert len(told) == 1  # not once an epoch
    assert told[0].startswith("vggexp: epoch 1, learning rate 10: the predicted box has the same ")
    assert told[0].endswith("lower optimizer.lr")


def test_a_run_that_learns(tiny: Tiny) -> None:
    code, _, errors = tiny(*WORDS, "optimizer.lr=1e-3")
    assert code == 0, errors
    assert "validation images" not in errors


@pytest.mark.slow
def test_two_processes_say_it_once(tiny_words: tuple[str, ...]) -> None:
    words = (*tiny_words, *WORDS, "optimizer.lr=10", "trainer.gpus=0", "trainer.processes=2")
    command = [sys.executable, "-m", "vggexp", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert Path("a/summary.json").exists()
    assert ended.stderr.count("validation images; its sigmoids are at 0 or 1") == 1
