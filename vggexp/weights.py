"""Where a backbone's first weights come from: torchvision's ImageNet weights, another run, or a file."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.errors import ConfigError, DataError
from vggexp.run import RunFolder

# torchvision's names, by the paper's letter; nets C and A-LRN were never published there.
_TORCHVISION = {"A": "VGG11", "B": "VGG13", "D": "VGG16", "E": "VGG19"}


@dataclass(frozen=True)
class LoadReport:
    """What became of a checkpoint's tensors."""

    source: str
    loaded: int
    """Tensors that were copied."""
    ignored: int
    """Tensors that belong to other parts, such as a head."""

    def __str__(self) -> str:
        """One line."""
        left_out = f", {self.ignored} of other parts left out" if self.ignored else ""
        return f"backbone weights: {self.loaded} tensors from {self.source}{left_out}"


def load_backbone(backbone: nn.Module, source: str, config: Mapping[str, Any]) -> LoadReport | None:
    """Copy weights into a backbone, every tensor of it or none.

    Args:
        backbone: what to fill.
        source: "none", "imagenet", a run folder (its best checkpoint), a ``.ckpt``, ``.pth`` or ``.safetensors`` file.
        config: the backbone's own config: its net, its normalisation.

    Raises:
        ConfigError: the weights are of another architecture, or were trained under another normalisation.
        DataError: the file cannot be read or downloaded.
    """
    if source in ("none", None):
        return None
    if source == "imagenet":
        tensors = _download(config)
    else:
        tensors, origin = _read(Path(source))
        _check_normalisation(source, origin, config)
    own = {name.removeprefix("backbone."): value for name, value in tensors.items() if _is_backbone(name)}
    _check_shapes(source, own, backbone.state_dict())
    backbone.load_state_dict(own)
    return LoadReport(str(source), len(own), len(tensors) - len(own))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU. Only tensors and plain types are ever unpickled.

    Args:
        path: a run folder (its best checkpoint) or a checkpoint file.
    """
    file = RunFolder(path).best if path.is_dir() else path
    if not file.exists():
        raise DataError(f"{path} holds no checkpoint ({file} is missing); give the folder of a finished run")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise DataError(
            f"{file} is not a checkpoint that can be read ({_first_line(error)}); is the file whole?"
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"{file} is not a checkpoint: it holds a {type(content).__name__}")
    return content


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """A file's tensors by name, and the backbone config of the run that wrote it ({} if there was none)."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path), {}
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path} is not a safetensors file ({_first_line(error)})") from error
    content = read_checkpoint(path)
    tensors = content.get("state_dict", content)
    return tensors, content.get("config", {}).get("backbone", {})


def _download(config: Mapping[str, Any]) -> dict[str, Tensor]:
    """ImageNet weights of this net as torchvision publishes them, from torch's cache or the network."""
    import torchvision

    if config["net"] not in _TORCHVISION or config["local_response_norm"] or config["width"] != 1:
        raise ConfigError("backbone.weights=imagenet: there are none for nets A-LRN and C, or for a width other than 1")
    name = _TORCHVISION[config["net"]] + ("_BN" if config["batch_norm"] else "") + "_Weights.IMAGENET1K_V1"
    weights = torchvision.models.get_weight(name)
    wanted = weights.transforms()
    for key in ("mean", "std"):
        if list(config[key]) != list(getattr(wanted, key)):
            raise ConfigError(f"backbone.{key}={config[key]}: these weights were trained with {getattr(wanted, key)}")
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        place = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise DataError(f"cannot download {weights.url} ({_first_line(error)}); fetch it by hand to {place}") from error
    return state


def _is_backbone(name: str) -> bool:
    """Whether it is the backbone's: "backbone.features..." in a run, "features..." in torchvision's files."""
    return name.removeprefix("backbone.").startswith("features.")


def _check_shapes(source: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    if not given:
        raise ConfigError(f"backbone.weights={source} holds no VGG backbone: no tensor's name begins with features.")
    for name, tensor in wanted.items():
        if name not in given:
            raise ConfigError(
                f"backbone.weights={source} has no {name}: it is another network; choose the backbone it has"
            )
        if given[name].shape != tensor.shape:
            shapes = f"{tuple(given[name].shape)}, and this backbone takes {tuple(tensor.shape)}"
            raise ConfigError(f"backbone.weights={source}: {name} is {shapes}; choose the backbone and width it has")
    if extra := sorted(given.keys() - wanted.keys()):
        raise ConfigError(
            f"backbone.weights={source} also has {extra[0]}: it is another network; choose the backbone it has"
        )


def _check_normalisation(source: str, origin: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    for key in ("mean", "std"):
        if key in origin and list(origin[key]) != list(config[key]):
            raise ConfigError(f"backbone.{key}={config[key]}: the weights in {source} were trained with {origin[key]}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
