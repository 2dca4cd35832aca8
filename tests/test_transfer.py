"""Heads from other runs, and a deep net that starts from net A's first four convolutions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import yaml
from safetensors.torch import save_file

from vggexp.backbone.vgg import VGG
from vggexp.build import build
from vggexp.errors import ConfigError
from vggexp.transfer import load_backbone, without_weights
from vggexp.usage import CONF
from vggexp.weights import read_checkpoint

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


def backbone(name: str, **changes: Any) -> tuple[VGG, dict[str, Any]]:
    config = {**yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text()), "width": 0.05, **changes}
    made: VGG = build("backbone", config)
    return made, config


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


def test_a_finished_run_no_longer_needs_its_sources(train_tiny: Train, vggexp: Any) -> None:
    one = train_tiny(*SINGLE, name="one")
    train_tiny(*BOTH, "head.part.localization.weights=one", "backbone.weights=one", name="both")
    one.rename("elsewhere")
    code, _, errors = vggexp("evaluate", "both", "trainer.limit_test_batches=1")
    assert code == 0, errors


def test_without_weights_leaves_nothing_to_read() -> None:
    part = {"weights": "x", "hidden": 8}
    config = {"backbone": {"weights": "x"}, "head": {"weights": "x", "part": {"localization": part}}, "seed": 1}
    assert "x" not in str(without_weights(config))
    assert part["weights"] == "x"


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
    assert "head.weights_map=fitting takes what fits" in errors
    code, out, errors = tiny(*small, *STILL, f"head.weights={path}", "head.weights_map=fitting", "run.dir=two")
    assert code == 0, errors
    assert "head weights: 4 tensors from three.ckpt" in out
    assert "fresh: classifier.6.weight ((10, 8), there (3, 8)), classifier.6.bias ((10,), there (3,))" in out
    assert torch.equal(
        tensors(one, "head.")["classifier.0.weight"], tensors(Path("two"), "head.")["classifier.0.weight"]
    )


def test_a_layer_is_taken_whole_or_not_at_all(train_tiny: Train, tiny: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="one")
    words = ("head.hidden=8", "head.pool=2", "head.weights=one", "head.weights_map=fitting", "run.dir=two")
    code, out, errors = tiny(*words)
    assert code == 0, errors
    assert "head weights: 4 tensors from one" in out
    assert "fresh: classifier.0.weight ((8, 104), there (8, 26)), classifier.0.bias ((8,), there (8,))" in out


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
    assert "no layer of it fits this head" in errors


def test_a_parallel_head_is_told_which_part_a_single_tasks_run_fills(train_tiny: Train, tiny: Any) -> None:
    train_tiny("head.hidden=8", "head.pool=1", name="one")
    code, _, errors = tiny(*BOTH, "head.weights=one", "run.dir=two")
    assert code == 2
    assert "head.weights=one has none of this head's parts: it serves a single task; fill that part: " in errors
    assert "head.part.classification.weights=one or head.part.localization.weights=one" in errors
    code, out, errors = tiny(*BOTH, "head.part.classification.weights=one", "run.dir=two")
    assert code == 0, errors
    assert "head.part.classification weights: 6 tensors from one; left out: backbone 56, task 1\n" in out


def test_the_dense_layers_of_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.head.mlp import MLP
    from vggexp.transfer import load_heads
    from vggexp.types import HeadSpec

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = torchvision.models.vgg11(num_classes=4).state_dict()
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    name = Path(torchvision.models.VGG11_Weights.IMAGENET1K_V1.url).name
    torch.save(theirs, tmp_path / "hub" / "checkpoints" / name)
    made, its = backbone("vgg11", width=1.0)
    head = MLP(HeadSpec(made.channels, made.strides, {"classification": 7}))
    own = {"weights": "imagenet", "weights_map": "fitting"}
    (report,) = load_heads(head, {"backbone": its, "head": own, "choice": {"task": "classification"}})
    assert torch.equal(head.state_dict()["classifier.3.weight"], theirs["classifier.3.weight"])
    assert (len(report.loaded), len(report.fresh), len(report.left_out)) == (
        4,
        2,
        18,
    )  # 16 of features, 2 of the last layer
    assert str(report).partition("; fresh")[0].endswith("; left out: features 16, classifier 2")


@pytest.mark.parametrize(("shallow", "deep"), [("vgg11", "vgg16"), ("vgg11_bn", "vgg19_bn"), ("vgg11", "vgg_c")])
def test_the_first_four_convolutions_of_net_a(shallow: str, deep: str, tmp_path: Path) -> None:
    source, _ = backbone(shallow)
    for tensor in source.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape))
    save_file(source.state_dict(), tmp_path / "a.safetensors")
    made, config = backbone(deep, weights_map="vgg_a")
    fresh = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    report = load_backbone(made, str(tmp_path / "a.safetensors"), config)
    assert report is not None
    given, bn = source.stages(), "bn" in shallow
    taken = 0
    for stage, (one, other) in enumerate(zip(given, made.stages(), strict=True)):
        for place in range((1, 1, 2, 0, 0)[stage] * (2 if bn else 1)):
            at = place if bn else 2 * place  # convolution, [norm,] ReLU
            at += place // 2 if bn else 0
            assert same(one[at].state_dict(), other[at].state_dict())
            taken += len(one[at].state_dict())
    assert taken == len(report.loaded) == (4 * 7 if bn else 4 * 2)
    left = made.state_dict().keys() - report.loaded
    assert all(torch.equal(fresh[name], made.state_dict()[name]) for name in left)
    assert report.fresh == (f"the {len(left)} tensors of other layers",)


@pytest.mark.parametrize(
    ("source", "deep", "message"),
    [
        (backbone("vgg13"), "vgg16", "is not net A: its 10 convolutions"),
        (backbone("vgg_a_lrn"), "vgg16", "is not net A"),
        (backbone("vgg11"), "vgg11", "this backbone is net A itself"),
        (backbone("vgg11_bn"), "vgg16", "has batch normalisation and this backbone has not"),
        (backbone("vgg11"), "vgg16_bn", "has no batch normalisation"),
        (backbone("vgg11", width=0.1), "vgg16", r"is \(6, 3, 3, 3\), and this backbone takes \(3, 3, 3, 3\)"),
    ],
)
def test_what_is_not_net_a(source: tuple[VGG, Any], deep: str, message: str, tmp_path: Path) -> None:
    save_file(source[0].state_dict(), tmp_path / "a.safetensors")
    made, config = backbone(deep, weights_map="vgg_a")
    with pytest.raises(ConfigError, match=message):
        load_backbone(made, str(tmp_path / "a.safetensors"), config)


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
