"""``data.batch_size=auto``: which batch it finds, and that finding it leaves no trace in the run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.config.check.machine import check_machine
from vggexp.errors import ConfigError, DataError
from vggexp.trainer import batch_size
from vggexp.trainer.batch_size import choices, largest, with_batch_size
from vggexp.trainer.trial import Trial
from vggexp.transfer.checkpoint import read_checkpoint

Vggexp = Callable[..., tuple[int, str, str]]
MIB = 2.0**20
POWERS = [1, 2, 4, 8, 16, 32, 64]
SMALL = ("head.hidden=8", "head.pool=1", "callback=[]", "test=false", "trainer.gpus=0")


def config(**trainer: Any) -> dict[str, Any]:
    return {"data": {"batch_size": "auto"}, "trainer": {"gpus": 0, "accumulate": 1, "precision": 32, **trainer}}


class Card:
    """A GPU that runs out of memory above some batch."""

    def __init__(self, most: int) -> None:
        self.most, self.tried = most, list[int]()

    def __call__(self, size: int) -> float:
        self.tried.append(size)
        if size > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return size * MIB


@pytest.mark.parametrize(("most", "found", "tried"), [(20, 16, [2, 4, 8, 16, 32]), (1, 1, [2, 1]), (0, 0, [2, 1])])
def test_a_gpu_is_tried_until_it_runs_out(most: int, found: int, tried: list[int]) -> None:
    card = Card(most)
    assert largest(card, POWERS, 1000 * MIB, on_gpu=True)[0] == found
    assert card.tried == tried


def test_a_gpu_that_is_almost_full_is_left_some_room() -> None:
    found, why = largest(Card(64), POWERS, 10 * MIB, on_gpu=True)
    assert (found, why) == (8, "16 take about 0.016 GiB; 0.0098 GiB, 80% of the free memory, are to be used")


def test_another_error_of_a_gpu_is_not_taken_for_a_lack_of_memory() -> None:
    def broken(_: int) -> float:
        raise RuntimeError("an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal"):
        largest(broken, POWERS, MIB, on_gpu=True)


@pytest.mark.parametrize(
    ("base", "each", "limit", "found", "measured"),
    [
        (100, 50, 1000, 16, [2, 4]),  # 900 MiB of 1000
        (100, 50, 10_000, 64, [2, 4]),
        (100, 1, 150, 32, [2, 4, 8, 16, 32, 64]),  # 64 images differ from 2 by less than what tells
        (100, 200, 350, 1, [2, 1]),
        (100, 50, 120, 0, [2, 1]),
    ],
)
def test_a_cpu_is_measured_with_few_images(
    base: float, each: float, limit: float, found: int, measured: list[int]
) -> None:
    tried: list[int] = []

    def need(size: int) -> float:
        tried.append(size)
        return (base + each * size) * MIB

    assert largest(need, POWERS, limit * MIB, on_gpu=False)[0] == found
    assert tried == measured


@pytest.mark.parametrize(
    ("trainer", "images", "sizes", "bound"),
    [
        ({}, 1197, [1, 2, 4, 8, 16, 32, 64, 128, 256], "at most 256"),
        ({"accumulate": 4}, 100, [1, 2, 4, 8, 16], "100 images"),
        ({"processes": 2}, 9, [1, 2, 4], "9 images"),
        ({"effective_batch": 24, "processes": 2}, 100, [1, 2, 3, 4, 6, 12], "effective_batch=24"),
        ({}, 1, [1], "1 images"),
    ],
)
def test_the_batches_to_choose_from(trainer: dict[str, Any], images: int, sizes: list[int], bound: str) -> None:
    found, why = choices(config(**trainer), images, waiting=0)
    assert found == sizes
    assert bound in why


def test_shared_memory_bounds_what_loading_processes_hold_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "free_shared", lambda: 64 * 2**20)
    assert choices(config(), 1197, waiting=4 * 2**20) == ([1, 2, 4, 8], "/dev/shm has no room for more")


def test_nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Heavy:
        images, waiting, kept = 10, 0, 0

        def __init__(self, _: object) -> None: ...

        def need(self, size: int) -> float:
            return size * 2.0**50

        def end(self) -> None: ...

    monkeypatch.setattr("vggexp.trainer.trial.Trial", Heavy)
    with pytest.raises(DataError, match=r"no batch fits into memory \(1 take about .*a smaller data.image_size"):
        with_batch_size(config(), go_on=False)


def test_room_is_left_for_what_caches_will_keep(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    class Kept:
        images, waiting, kept = 100, 0, int(700 * MIB)

        def __init__(self, _: object) -> None: ...

        def need(self, size: int) -> float:
            return size * 10 * MIB

        def end(self) -> None: ...

    monkeypatch.setattr("vggexp.trainer.trial.Trial", Kept)
    monkeypatch.setattr(batch_size, "free_memory", lambda _: int(1000 * MIB))
    assert (
        with_batch_size({**config(), "choice": {"task": "classification"}}, go_on=False)["data"]["batch_size"] == 16
    )  # 64 without
    assert "the run's caches will keep 0.68 GiB more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"strategy": "fsdp", "ema": None}, "tries steps in one process, which strategy=fsdp divides"),
        ({"effective_batch": 9, "processes": 2}, "effective_batch=9 is not a multiple of the run's 2 processes"),
    ],
)
def test_where_it_cannot_be_found(trainer: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_machine(config(**trainer))


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_systems_that_do_not_tell_their_free_memory(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", system)
    with pytest.raises(ConfigError, match="needs CUDA or Linux"):
        check_machine(config())


@pytest.mark.parametrize("words", [("advise",), ("evaluate", "a"), ("predict", "a", "b", "output=c")])
def test_verbs_that_do_not_train(words: tuple[str, ...], vggexp: Vggexp) -> None:
    code, _, errors = vggexp(*words, "data.batch_size=auto")
    assert code == 2
    assert "data.batch_size=auto: only a training finds its number; give one" in errors


def test_a_word_beside_it(vggexp: Vggexp) -> None:
    code, _, errors = vggexp("data.batch_size=atuo")
    assert (code, errors) == (2, "vggexp: error: data.batch_size=atuo is not known; did you mean 'auto'?\n")


def ending(folder: str) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    rows = [json.loads(line) for line in Path(folder, "metrics.jsonl").read_text().splitlines()]
    state = read_checkpoint(Path(folder, "checkpoint/last.ckpt"))["state_dict"]
    return state, [{key: value for key, value in row.items() if key != "time"} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("trainer.effective_batch=24", "optimizer.lr_for_batch=16", "mix=mixup"),
        ("trainer.accumulate=2", "trainer.ema=0.9", "freeze=gradual"),
    ],
)
def test_the_run_is_the_one_with_that_number(
    words: tuple[str, ...], tiny: Vggexp, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = dict.fromkeys(range(1, 25), 1.0) | dict.fromkeys((16, 12, 24), 3.0)
    measure = Trial.need
    monkeypatch.setattr(Trial, "need", lambda self, size: measure(self, size) * 0 + needs.get(size, 9.0))
    monkeypatch.setattr(batch_size, "free_memory", lambda _: 2.0)
    monkeypatch.setattr(batch_size, "TELLING", 9.0)
    code, out, errors = tiny(*SMALL, *words, "trainer.max_epochs=2", "data.batch_size=auto", "run.dir=found")
    assert code == 0, errors
    assert out.count("data.batch_size=auto: 8 (") == 1
    assert yaml.safe_load(Path("found/config.yaml").read_text())["data"]["batch_size"] == 8
    code, out, errors = tiny(*SMALL, *words, "trainer.max_epochs=2", "data.batch_size=8", "run.dir=given")
    assert code == 0, errors
    (state, rows), (expected, others) = ending("found"), ending("given")
    assert [name for name in expected if not torch.equal(state[name], expected[name])] == []
    assert rows == others


@pytest.mark.slow
def test_a_job_of_a_sweep_is_known_again(tiny: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "MOST", 4)
    words = ("-m", *SMALL, "baseline=false", "data.batch_size=auto", "seed=1", "run.dir=job")
    assert tiny(*words)[0] == 0
    assert yaml.safe_load(Path("job/config.yaml").read_text())["data"]["batch_size"] == 4
    code, out, _ = tiny(*words)
    assert code == 0
    assert "is already finished; skipped" in out
    Path("job/summary.json").unlink()
    monkeypatch.setattr(batch_size, "MOST", 2)
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert "resumes from its last checkpoint" in out
    assert yaml.safe_load(Path("job/config.yaml").read_text())["data"]["batch_size"] == 4
    assert "data.batch_size=auto: " not in out


HEADS = {
    "classification": ("linear", "mlp"),
    "localization": ("box",),
    "segmentation": ("fcn", "unet", "segnet", "deconvnet"),
    "detection": ("fcos", "ssd", "faster_rcnn", "faster_rcnn_fpn"),
    "instance_segmentation": ("mask_rcnn",),
    "multitask": ("parallel",),
}

PYRAMID = ("head.channels=16", "head.hidden=32", "head.samples=16", "head.proposals=32")
SMALLER = {
    "deconvnet": ("head.window=2",),
    "faster_rcnn": ("head.hidden=64", "head.samples=16", "head.proposals=32"),
    "faster_rcnn_fpn": PYRAMID,
    "mask_rcnn": (*PYRAMID, "head.mask_channels=16"),
}
"""What these heads need for images of 64 x 64, and what makes them quick."""


@pytest.mark.slow
@pytest.mark.parametrize(("task", "head"), [(task, head) for task, heads in HEADS.items() for head in heads])
def test_every_head_can_be_tried(task: str, head: str, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    """More images take more memory."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("vggexp.command.train.run", seen.append)
    words = ("backbone=vgg11_bn", "backbone.width=0.25", "data.image_size=[64,64]", "trainer.gpus=0")
    more = ("trainer.precision=32", "data.batch_size=auto", *SMALLER.get(head, ()))
    code, _, errors = vggexp(f"task={task}", f"head={head}", *words, *more)
    assert code == 0, errors
    trial = Trial(seen[0])
    try:
        trial.need(2)  # gives back what earlier tests left in this process
        few = trial.need(2)
        assert trial.need(8) - few > 2**20
    finally:
        trial.end()
