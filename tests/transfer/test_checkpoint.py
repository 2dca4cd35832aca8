"""Weights from a run, a checkpoint, safetensors and torchvision's cache; and what each refuses, in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import yaml
from safetensors.torch import save_file
from torch import nn

from vggexp.backbone.vgg import VGG
from vggexp.config.help import CONF
from vggexp.errors import ConfigError, DataError
from vggexp.trainer.build import build
from vggexp.transfer.backbone import load_backbone
from vggexp.transfer.checkpoint import read_checkpoint


def backbone(name: str = "vgg11", **changes: Any) -> tuple[VGG, dict[str, Any]]:
    config = {**yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text()), "width": 0.05, **changes}
    made: VGG = build("backbone", config)
    return made, config


def equal(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_none_leaves_the_backbone_alone() -> None:
    made, config = backbone()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    assert load_backbone(made, "none", config) is None
    assert all(torch.equal(before[name], value) for name, value in made.state_dict().items())


@pytest.mark.parametrize("kind", ["safetensors", "torchvision file", "checkpoint"])
def test_files(kind: str, tmp_path: Path) -> None:
    source, config = backbone()
    tensors = source.state_dict()
    path = tmp_path / "weights.safetensors"
    if kind == "safetensors":
        save_file(tensors, path)
    else:
        path = tmp_path / "weights.ckpt"
        learner = {f"backbone.{name}": value for name, value in tensors.items()} | {"head.x": torch.zeros(1)}
        torch.save(tensors if kind == "torchvision file" else {"state_dict": learner}, path)
    made, _ = backbone()
    assert not equal(made, source)
    report = load_backbone(made, str(path), config)
    assert equal(made, source)
    assert report is not None
    assert (len(report.loaded), len(report.left_out)) == (16, 1 if kind == "checkpoint" else 0)


def test_a_run_folder_of_another_task(train_tiny: Callable[..., Path], vggexp: Any) -> None:
    first = train_tiny("head.hidden=8", "head.pool=1", name="first")
    second = train_tiny(
        "task=localization",
        "head.hidden=[8]",
        "head.pool=1",
        "freeze=backbone",
        f"backbone.weights={first}",
        name="second",
    )
    weights = [read_checkpoint(folder)["state_dict"] for folder in (first, second)]
    shared = [name for name in weights[0] if name.startswith("backbone.")]
    assert len(shared) == 8 * 7
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in shared)
    report = (second / "config.yaml").read_text()
    assert "weights: first" in report


def test_imagenet_comes_from_torchvisions_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = torchvision.models.vgg11(num_classes=1)
    name = Path(torchvision.models.VGG11_Weights.IMAGENET1K_V1.url).name
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(theirs.state_dict(), tmp_path / "hub" / "checkpoints" / name)
    made, config = backbone(width=1.0)
    report = load_backbone(made, "imagenet", config)
    assert str(report) == "backbone weights: 16 tensors from imagenet; left out: classifier 6"
    assert torch.equal(made.features[0].weight, theirs.features[0].weight)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("vgg_c", {}, "torchvision has none for nets A-LRN and C"),
        ("vgg16", {"width": 0.5}, "or a width other than 1"),
        ("vgg11", {"width": 1.0, "mean": [0.5, 0.5, 0.5]}, r"backbone\.mean=.*these weights were trained with"),
    ],
)
def test_imagenet_refuses(name: str, changes: dict[str, Any], message: str) -> None:
    made, config = backbone("vgg11")
    config = {**yaml.safe_load((CONF / "backbone" / f"{name}.yaml").read_text()), **changes}
    with pytest.raises(ConfigError, match=message):
        load_backbone(made, "imagenet", config)


def test_another_shape_names_both(tmp_path: Path) -> None:
    save_file(backbone(width=0.1)[0].state_dict(), tmp_path / "a.safetensors")
    made, config = backbone()
    with pytest.raises(
        ConfigError, match=r"features\.0\.weight is \(6, 3, 3, 3\), and this backbone takes \(3, 3, 3, 3\)"
    ):
        load_backbone(made, str(tmp_path / "a.safetensors"), config)


@pytest.mark.parametrize(
    ("source", "message"), [("vgg13", r"has no features\.|is \("), ("vgg11_bn", r"has no features\.|is \(")]
)
def test_another_network(source: str, message: str, tmp_path: Path) -> None:
    save_file(backbone(source)[0].state_dict(), tmp_path / "a.safetensors")
    made, config = backbone()
    with pytest.raises(ConfigError, match=message):
        load_backbone(made, str(tmp_path / "a.safetensors"), config)


def test_another_normalisation(tmp_path: Path) -> None:
    made, config = backbone()
    tensors = {f"backbone.{name}": value for name, value in made.state_dict().items()}
    torch.save({"state_dict": tensors, "config": {"backbone": {**config, "mean": [0, 0, 0]}}}, tmp_path / "a.ckpt")
    with pytest.raises(ConfigError, match=r"backbone\.mean=.*were trained with \[0, 0, 0\]"):
        load_backbone(made, str(tmp_path / "a.ckpt"), config)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"])
@pytest.mark.parametrize("name", ["a.ckpt", "a.safetensors"])
def test_broken_files(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    made, config = backbone()
    with pytest.raises(DataError, match=f"{name} (is not a|cannot be used)"):
        load_backbone(made, str(tmp_path / name), config)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "pwned",)  # type: ignore[return-value]

    torch.save({"state_dict": Evil()}, tmp_path / "a.ckpt")
    with pytest.raises(DataError, match="not a checkpoint that can be read"):
        read_checkpoint(tmp_path / "a.ckpt")
    assert not (tmp_path / "pwned").exists()


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no checkpoint"):
        read_checkpoint(tmp_path)
