"""The feature cache changes how long a run takes and nothing else; what could change more turns it off, and is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vggexp.transfer.checkpoint import read_checkpoint

Tiny = Callable[..., tuple[int, str, str]]
DENSE = ("head.hidden=8", "head.pool=1")
FEW = ("data.classes=[0,1]", "trainer.limit_train_batches=1.0", "trainer.limit_val_batches=1.0")
"""Few images, all of which are read: features of more than a run reads would not be kept."""
PLAIN = ("data.train_transform=[]", "trainer.precision=32", "trainer.max_epochs=3", *FEW)


def slow(*values: object) -> object:
    """A case that runs among the slow tests."""
    return pytest.param(*values, marks=pytest.mark.slow)


def result(folder: str) -> tuple[dict[str, Tensor], dict[str, float]]:
    summary: dict[str, Any] = json.loads(Path(folder, "summary.json").read_text())
    return read_checkpoint(Path(folder, "checkpoint", "last.ckpt"))["state_dict"], summary["metrics"]


def assert_equal_runs(one: str, other: str) -> None:
    """To fp32's rounding: a convolution may sum in another order when images come in other batches."""
    (weights, metrics), (others, other_metrics) = result(one), result(other)
    assert weights.keys() == others.keys()
    for name, tensor in weights.items():
        torch.testing.assert_close(
            tensor, others[name], rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )
    numbers, others_numbers = (
        {name: value for name, value in found.items() if value is not None} for found in (metrics, other_metrics)
    )
    assert numbers == pytest.approx(others_numbers, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        slow(("freeze=backbone", *DENSE), 5),
        (("freeze=stage", "freeze.stages=3", *DENSE), 3),
        slow(("freeze=stage", "freeze.stages=[1,2,4]", *DENSE), 2),
        slow(("freeze=backbone", "task=localization", "head.hidden=[8]", "head.pool=1"), 5),
        slow(("freeze=backbone", "task=segmentation", "head=fcn", "head.stride=16", "head.hidden=8", "data.canvas=64",
              "data.image_size=[64,64]"), 4),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)  # fmt: skip
def test_a_run_with_the_cache_ends_where_one_without_does(words: tuple[str, ...], stage: int, tiny: Tiny) -> None:
    code, out, errors = tiny(*PLAIN, *words, "run.dir=cached")
    assert code == 0, errors
    assert f"cache: stage {stage} of train: " in out
    assert f"cache: stage {stage} of val: " in out
    assert tiny(*PLAIN, *words, "run.dir=plain", "cache=off")[0] == 0
    assert_equal_runs("cached", "plain")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("freeze=backbone",), ("freeze=stage", "freeze.stages=3")], ids=lambda words: words[-1]
)
def test_in_bf16_the_difference_is_at_most_a_features_rounding(words: tuple[str, ...], tiny: Tiny) -> None:
    """A feature has 8 significant bits, so a sum in another order may move it by 2^-8 of itself, and a step likewise.

    So runs may end apart by 2^-8 of the way that the weights went. (On the machines tried so far they ended equal.)
    """
    words = (
        *words,
        *FEW,
        "data.train_transform=[]",
        "trainer.max_epochs=3",
        "trainer.precision=bf16-mixed",
        "callback=[]",
    )
    for mode in ("auto", "off"):
        code, out, errors = tiny(*words, f"cache={mode}", f"run.dir={mode}")
        assert code == 0, errors
        assert ("cache: stage" in out) == (mode == "auto")
    (weights, metrics), (others, other_metrics) = result("auto"), result("off")
    drift = json.loads(Path("off", "summary.json").read_text())["drift"]
    names = [name for name in weights if name.startswith("head.")]
    own, other = (torch.cat([state[name].double().flatten() for name in names]) for state in (weights, others))
    assert float((own - other).norm() / other.norm()) <= 2**-8 * drift["head"]
    assert metrics["val/loss"] == pytest.approx(other_metrics["val/loss"], rel=2**-8)
    assert metrics["val/top1"] == pytest.approx(other_metrics["val/top1"], abs=1 / 32)  # one of the batch's images


@pytest.mark.slow
def test_a_fixed_training_transform_needs_no_views(tiny: Tiny) -> None:
    words = ("freeze=backbone", "trainer.precision=32", "data.train_transform=[{Resize:{size:[32,32]}}]", *FEW)
    code, out, errors = tiny(*words, "run.dir=cached")
    assert code == 0, errors
    assert "cache: stage 5 of train" in out
    assert tiny(*words, "cache=off", "run.dir=plain")[0] == 0
    assert_equal_runs("cached", "plain")


@pytest.mark.slow
def test_pictures_are_drawn_from_cached_features_too(tiny: Tiny) -> None:
    from PIL import Image, ImageChops

    for mode in ("auto", "off"):
        assert tiny(*PLAIN, "freeze=backbone", f"cache={mode}", f"run.dir={mode}")[0] == 0
    pictures = [Image.open(Path(mode, "prediction", "val.png")) for mode in ("auto", "off")]
    assert ImageChops.difference(*pictures).getbbox() is None


@pytest.mark.slow
def test_with_a_view_an_epoch_augmentation_is_what_it_would_have_been(tiny: Tiny) -> None:
    words = ("freeze=backbone", *DENSE, *PLAIN[1:])
    assert "3 views" not in tiny(*words, "cache.views=3", "run.dir=cached")[1]
    code, out, _ = tiny(*words, "run.dir=plain")
    assert code == 0
    assert "cache: off, because data.train_transform is random; cache.views=4" in out
    assert_equal_runs("cached", "plain")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("freeze=none", *DENSE), ""),
        (("freeze=norm", *DENSE), ""),
        (("freeze=backbone", "freeze.norm=update", "backbone=vgg11_bn", *DENSE), ""),
        (("freeze=linear_probe", "freeze.epochs=1", *DENSE), ""),
        (
            ("freeze=backbone", "task=segmentation"),
            "head=unet also reads the first stages",
        ),
        (("freeze=backbone", "mix=cutmix", *DENSE), "mix=cutmix mixes images"),
        (("freeze=backbone", "cache.max_gb=0", *DENSE), "more than cache.max_gb: not cached"),
        (
            ("freeze=backbone", "trainer.limit_train_batches=1", *DENSE),
            "the run reads 64 images of train, fewer than the 239 whose features it would compute: not cached",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_turns_it_off_is_said(words: tuple[str, ...], said: str, tiny: Tiny) -> None:
    code, out, errors = tiny(*PLAIN, *words, "trainer.max_epochs=2", "run.dir=run")
    assert code == 0, errors
    assert said in out if said else "cache:" not in out
    assert "cache: stage" not in out or "64 images of train" in said  # val is read whole


@pytest.mark.slow
def test_on_disk_a_second_run_reads_and_other_weights_do_not(tiny: Tiny, tmp_path: Path) -> None:
    words = (*PLAIN, *DENSE, "freeze=backbone", "cache=disk", f"cache.dir={tmp_path}/cache", "test=false")
    assert tiny(*words, "run.dir=first")[1].count("cache: stage 5") == 2
    entries = sorted(path.name for path in (tmp_path / "cache").iterdir())
    code, out, errors = tiny(*words, "run.dir=second", "optimizer.lr=0.5")
    assert code == 0, errors
    assert "cache: stage" not in out
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == entries
    assert tiny(*words, "run.dir=third", "optimizer.lr=0.5", "cache=off", "cache.dir=null")[0] == 0
    assert_equal_runs("second", "third")
    for place, other in enumerate(("seed=2", "data.seed=5", "data.size=[16,28]")):  # other weights, other data
        assert tiny(*words, f"run.dir=other{place}", other)[1].count("cache: stage 5") == 2


def test_on_disk_too_large_is_an_error_with_the_size(tiny: Tiny, tmp_path: Path) -> None:
    code, _, errors = tiny(
        *PLAIN, *DENSE, "freeze=backbone", "cache=disk", f"cache.dir={tmp_path}/c", "cache.max_gb=0", "run.dir=r"
    )
    assert code == 2
    assert "give cache.max_gb=" in errors
    assert not (tmp_path / "c").exists()
