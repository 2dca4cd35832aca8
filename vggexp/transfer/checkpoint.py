"""Reads weights from torchvision's ImageNet weights, another run, or a file; reads and writes checkpoints."""

import errno
import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.serialization import get_crc32_options, set_crc32_options

from vggexp.distributed.whole import free_bytes, full_disk, whole
from vggexp.errors import ConfigError, DataError, first_line
from vggexp.run_folder import RunFolder
from vggexp.transfer.adapters import merged
from vggexp.transfer.checksum import damage, seal
from vggexp.transfer.renamed import new_key, renew
from vggexp.types import DataInfo

# torchvision's names, by the paper's letter; torchvision has no weights for nets C and A-LRN.
_TORCHVISION = {"A": "VGG11", "B": "VGG13", "D": "VGG16", "E": "VGG19"}


def read_weights(source: str, backbone: Mapping[str, Any], part: str) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """A source's tensors by name, and the ``config`` and ``info`` of the run that wrote it, if it has them.

    Args:
        source: "imagenet", a run folder (its best checkpoint), a ``.ckpt``, ``.pth`` or ``.safetensors`` file.
        backbone: config of the backbone to initialise; its net and batch_norm select torchvision's weights.
        part: "backbone" or "head", for the message.

    Raises:
        ConfigError: there are no ImageNet weights for this network.
        DataError: the file cannot be read or downloaded.
    """
    return (_download(backbone, part), {}) if source == "imagenet" else _read(Path(source))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU. Unpickles tensors and plain types only.

    Args:
        path: a run folder (its best checkpoint), a checkpoint or a ``.safetensors`` file. Files that vggexp did
            not write hold only weights.
    """
    file = RunFolder(path).best if path.is_dir() else path
    if file.suffix == ".safetensors":
        return _with_new_names(_read_safetensors(file))
    if not file.exists():
        raise DataError(f"{path} holds no checkpoint ({file} is missing); give the folder of a finished run")
    if what := damage(file, ours=False):
        raise DataError(f"{file} cannot be used: {what}")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none, or is damaged, makes torch raise almost any kind
        why = f"{first_line(error)}); is the file complete?"
        if isinstance(error, pickle.UnpicklingError) and "Weights only load failed" in str(error):
            why = "it is damaged, or holds more than tensors and plain values); nothing in it was run"
        raise DataError(f"{file} is not a checkpoint that can be read ({why}") from error
    if not isinstance(content, dict):
        raise DataError(f"{file} is not a checkpoint: it holds a {type(content).__name__}")
    return _with_new_names(content)


def _with_new_names(content: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint's content with the current names of its keys and in its config."""
    if isinstance(content.get("config"), Mapping):
        content["config"] = renew(content["config"])
    return {new_key(str(name)): value for name, value in content.items()}


def read_info(content: Mapping[str, Any]) -> DataInfo:
    """The class names in a checkpoint of vggexp."""
    names = content["info"]
    listed = [names[field] for field in ("classes", "mask_classes")]
    if not all(isinstance(each, list | tuple) and all(isinstance(name, str) for name in each) for each in listed):
        raise DataError("the checkpoint's info is not two lists of class names; it was damaged")
    return DataInfo(tuple(listed[0]), tuple(listed[1]))


def write_checkpoint(path: Path, content: Mapping[str, Any], keep: Path | None = None) -> None:
    """Write a checkpoint with its checksum under a temporary name and rename it.

    Args:
        keep: the name that the checkpoint so far gets; None: it is replaced.

    Raises:
        DataError: the disk is full. The checkpoint so far is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if keep is not None:
        keep.unlink(missing_ok=True)  # first, so that there are never three of them
    with whole(path) as temporary:
        try:
            with _without_checksums():
                torch.save(dict(content), temporary)
            seal(temporary)
        except (RuntimeError, OSError, ValueError) as error:
            if found := _full(error, temporary):
                raise full_disk(path, tensor_bytes(content)) from found
            raise
        if keep is not None and path.exists():
            _second_name(path, keep)


def _full(error: Exception, temporary: Path) -> Exception | None:
    """The error if it means a full disk: torch says only that it wrote fewer bytes than it wanted to."""
    if isinstance(error, OSError):
        return error if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    is_torchs = "inline_container" in str(error) or "PytorchStreamWriter" in str(error)
    return error if is_torchs and free_bytes(temporary) < _LITTLE else None


_LITTLE = 2**26
"""Free bytes below which a failed writing is the full disk's fault."""


def _second_name(path: Path, name: Path) -> None:
    try:
        name.hardlink_to(path)
    except OSError:  # a file system without links: between here and the renaming there is no ``path``
        path.rename(name)


def tensor_bytes(content: Any) -> int:
    """Bytes of the tensors anywhere in a checkpoint."""
    if isinstance(content, Tensor):
        return content.numel() * content.element_size()
    if isinstance(content, Mapping):
        return sum(map(tensor_bytes, content.values()))
    return sum(map(tensor_bytes, content)) if isinstance(content, list | tuple) else 0


@contextmanager
def _without_checksums() -> Iterator[None]:
    """CRC-32 takes longer than writing, and ``torch.load`` does not check it."""
    before = get_crc32_options()
    set_crc32_options(False)
    try:
        yield
    finally:
        set_crc32_options(before)


def _read(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """A file's tensors by name, adapters merged, and its ``config`` and ``info``, if it has them."""
    content = read_checkpoint(path)
    if "state_dict" not in content:
        return content, {}
    return merged(content["state_dict"]), {key: content[key] for key in ("config", "info") if key in content}


def _read_safetensors(path: Path) -> dict[str, Any]:
    """``state_dict``, and ``config`` and ``info`` if the header has them (``export`` writes them)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return {"state_dict": tensors, **{key: json.loads(header[key]) for key in ("config", "info") if key in header}}
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} is not a safetensors file ({first_line(error)})") from error


def _download(config: Mapping[str, Any], part: str) -> dict[str, Tensor]:
    """ImageNet weights of this net, torchvision's or timm's, from their cache or the network."""
    import torchvision

    if "net" not in config:
        return _download_from_timm(str(config["name"]))

    if config["net"] not in _TORCHVISION or config["local_response_norm"] or config["width"] != 1:
        raise ConfigError(
            f"{part}.weights=imagenet: torchvision has none for nets A-LRN and C, OverFeat's, or a width other than 1"
        )
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
        raise DataError(f"cannot download {weights.url} ({first_line(error)}); download it to {place}") from error
    return state


def _download_from_timm(name: str) -> dict[str, Tensor]:
    """The weights that timm calls the network's own, under the names of ``backbone=timm``."""
    import timm

    try:
        network = timm.create_model(name, pretrained=True, features_only=True)
    except Exception as error:  # the hub's client has many kinds of its own
        raise DataError(f"cannot download timm's weights of {name} ({first_line(error)})") from error
    return {f"features.{key}": tensor for key, tensor in network.state_dict().items()}
