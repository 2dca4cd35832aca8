"""Heads from other runs, single ones and the parts of parallel ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import yaml

from vggexp.config.help import CONF
from vggexp.head.mlp import MLP
from vggexp.trainer.build import build
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.transfer.head import load_heads
from vggexp.types import DataInfo, HeadSpec

Train = Callable[..., Path]
SINGLE = ("task=localization", "head.hidden=[8]", "head.pool=1")
BOTH = (
    "task=multitask", "head.part.classification.hidden=8", "head.part.classification.pool=1",
    "head.part.localization.hidden=[8]", "head.part.localization.pool=1",
)  # fmt: skip
STILL = ("optimizer=sgd", "optimizer.lr=0", "optimizer.weight_decay=0")
"""A run that ends where it started."""


def tensors(folder: Path, prefix: str) -> dict[str, torch.Tensor]:
    state = read_checkpoint(folder)["state_dict"]
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return bool(a) and a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
def test_a_head_from_a_run_and_its_part_in_a_multitask_run_and_back(train_tiny: Train) -> None:
    one = train_tiny(*SINGLE, name="one")
    again = train_tiny(*SINGLE, *STILL, "head.weights=one", "seed=2", name="again")
    assert same(tensors(one, "head."), tensors(again, "head."))
    assert not same(tensors(one, "backbone."), tensors(again, "backbone."))
    both = train_tiny(*BOTH, *STILL, "head.part.localization.weights=one", "seed=3", name="both")
    assert same(tensors(one, "head."), tensors(both, "head.part.localization."))
    back = train_tiny(*SINGLE, *STILL, "head.weights=both", "seed=4", name="back")
    assert same(tensors(one, "head."), tensors(back, "head."))
    whole = train_tiny(*BOTH, *STILL, "head.weights=both", "seed=5", name="whole")
    assert same(tensors(both, "head."), tensors(whole, "head."))


@pytest.mark.slow
def test_a_finished_run_no_longer_needs_its_sources(train_tiny: Train, vggexp: Any) -> None:
    one = train_tiny(*SINGLE, name="one")
    train_tiny(*BOTH, "head.part.localization.weights=one", "backbone.weights=one", name="both")
    one.rename("elsewhere")
    code, _, errors = vggexp("evaluate", "both", "trainer.limit_test_batches=1")
    assert code == 0, errors


def test_another_number_of_classes(train_tiny: Train, tiny: Any) -> None:
    small = ("head.hidden=8", "head.pool=1")
    one = train_tiny(*small, name="one")
    path = Path("three.ckpt")
    state = tensors(one, "")
    state["head.classifier.6.weight"], state["head.classifier.6.bias"] = torch.zeros(3, 8), torch.zeros(3)
    torch.save({"state_dict": state}, path)
    code, _, errors = tiny(*small, f"head.weights={path}", "run.dir=two")
    assert code == 2
    assert "head.weights=three.ckpt: classifier.6.weight is (3, 8), and this head takes (10, 8); " in errors
    assert "head.weights_map=fitting copies the layers that fit" in errors
    code, out, errors = tiny(*small, *STILL, f"head.weights={path}", "head.weights_map=fitting", "run.dir=two")
    assert code == 0, errors
    assert "head weights: 4 tensors from three.ckpt" in out
    assert (
        "keep their initial values: classifier.6.weight ((10, 8), there (3, 8)), classifier.6.bias ((10,), there (3,))"
        in out
    )
    assert torch.equal(
        tensors(one, "head.")["classifier.0.weight"], tensors(Path("two"), "head.")["classifier.0.weight"]
    )


def test_a_head_of_other_classes_is_refused_unless_it_is_only_a_start(train_tiny: Train, tiny: Any) -> None:
    small = ("head.hidden=8", "head.pool=1")
    train_tiny(*small, "data.classes=[0,1]", name="one")
    words = (*small, "data.classes=[1,0]", "head.weights=one", "run.dir=two")
    code, _, errors = tiny(*words)
    assert (code, errors) == (
        2,
        "vggexp: error: the classes of head.weights=one are [0, 1], those of this data set [1, 0] (in another order); "
        "head.weights_map=fitting starts from them anyway\n",
    )
    code, out, errors = tiny(*words, "head.weights_map=fitting")
    assert code == 0, errors
    assert "6 tensors from one; left out: backbone 56, task 1; the classes of head.weights=one are [0, 1]" in out


def test_a_layer_is_taken_whole_or_not_at_all(train_tiny: Train, tiny: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="one")
    words = ("head.hidden=8", "head.pool=2", "head.weights=one", "head.weights_map=fitting", "run.dir=two")
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert "head weights: 4 tensors from one" in out
    assert (
        "keep their initial values: classifier.0.weight ((8, 104), there (8, 26)), classifier.0.bias ((8,), there (8,))"
        in out
    )


@pytest.mark.slow
def test_two_parts_of_a_run_of_three(train_tiny: Train) -> None:
    three = train_tiny(*BOTH, "task.parts=[classification,localization,segmentation]", name="three")
    two = train_tiny(*BOTH, *STILL, "head.weights=three", "seed=2", name="two")
    for part in ("classification", "localization"):
        assert same(tensors(three, f"head.part.{part}."), tensors(two, f"head.part.{part}."))


def test_another_tasks_head(train_tiny: Train, tiny: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="one")
    code, _, errors = tiny(*SINGLE, "head.weights=one", "run.dir=two")
    assert code == 2
    assert "head.weights=one has no regressor.2.weight: it is another network" in errors
    code, _, errors = tiny(*SINGLE, "head.weights=one", "head.weights_map=fitting", "run.dir=two")
    assert code == 2
    assert "no layer fits this head" in errors


@pytest.mark.slow
def test_a_parallel_head_is_told_which_part_a_single_tasks_run_fills(train_tiny: Train, tiny: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="one")
    code, _, errors = tiny(*BOTH, "head.weights=one", "run.dir=two")
    assert code == 2
    assert "head.weights=one has none of this head's parts: it is a single task's; load it into one part: " in errors
    assert "head.part.classification.weights=one or head.part.localization.weights=one" in errors
    code, out, errors = tiny(*BOTH, "head.part.classification.weights=one", "run.dir=two")
    assert code == 0, errors
    assert "head.part.classification weights: 6 tensors from one; left out: backbone 56, task 1\n" in out


@pytest.mark.slow
def test_the_dense_layers_of_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = torchvision.models.vgg11(num_classes=4).state_dict()
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    name = Path(torchvision.models.VGG11_Weights.IMAGENET1K_V1.url).name
    torch.save(theirs, tmp_path / "hub" / "checkpoints" / name)
    its = yaml.safe_load((CONF / "backbone" / "vgg11.yaml").read_text())
    made = build("backbone", its)
    head = MLP(HeadSpec(made.channels, made.strides, {"classification": 7}))
    own = {"weights": "imagenet", "weights_map": "fitting"}
    (report,) = load_heads(head, {"backbone": its, "head": own, "choice": {"task": "classification"}}, DataInfo((), ()))
    assert torch.equal(head.state_dict()["classifier.3.weight"], theirs["classifier.3.weight"])
    assert (len(report.loaded), len(report.initial), len(report.left_out)) == (
        4,
        2,
        18,
    )  # 16 of features, 2 of the last layer
    assert str(report).partition("; keep")[0].endswith("; left out: features 16, classifier 2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("head.weights=nowhere",), "head.weights=nowhere: no such run folder or file"),
        (("head.weights_map=fiting",), "head.weights_map=fiting is not known; did you mean 'fitting'?"),
        (("backbone.weights_map=vgg_b",), "backbone.weights_map=vgg_b is not known; did you mean 'vgg_a'?"),
        ((*BOTH, "head.part.localization.weights=nowhere"), "head.part.localization.weights=nowhere: no such run"),
    ],
)
def test_settings_that_cannot_work(words: tuple[str, ...], message: str, tiny: Any) -> None:
    code, _, errors = tiny(*words, "run.dir=run")
    assert code == 2
    assert message in errors
