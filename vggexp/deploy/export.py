"""Exports a trained network: writes a temporary file, reads it back, compares it with the run, and then renames it.

Each file has a card, ``<file>.json``: inputs, outputs, source, and the largest difference from the run.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from vggexp.deploy.object_difference import object_difference
from vggexp.deploy.predict.network import MEANING, Network
from vggexp.errors import ConfigError
from vggexp.run_folder import write_whole
from vggexp.sample.resize import meaning
from vggexp.types import DataInfo, Prediction

LABELS = 1e-3
"""Maximum share of differing labels (of images or pixels): rounding decides between two equally probable classes."""

PACKAGES = ("vggexp", "torch", "torchvision")


def load_format(name: str) -> ModuleType:
    """A format's module; ConfigError if a package that it needs is not installed."""
    try:
        return import_module(f"vggexp.deploy.format.{name}")
    except ImportError as error:
        raise ConfigError(f"format={name} is not installed; pip install 'vggexp[{name}]'") from error


def export(
    name: str,
    network: Network,
    content: Mapping[str, Any],
    batches: Sequence[Tensor],
    path: Path,
    *,
    tolerance: float,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Write one file and its card; return the card's content.

    Args:
        name: the format.
        network: the network to export and to compare with; float32, on the CPU.
        content: the checkpoint's content: ``config``, ``info``, ``state_dict``.
        batches: uint8 (n, 3, H, W) each, the inputs of the comparison.
        path: the file, with the format's suffix.
        tolerance: the maximum difference of a float output.
        options: options of the format.

    Raises:
        ConfigError: the format cannot express the network, or the file gives other outputs. Leaves no file.
    """
    form = load_format(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        facts = _attempt(name, lambda: form.write(network, content, batches[-1], temporary, **options))
        found = _attempt(name, lambda: compare(network, form.read(temporary), batches))
        _check(name, found, tolerance)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    card = {"format": name, **facts, **describe(network, content, batches[0])}
    card["check"] = {"batches": [len(batch) for batch in batches], "tolerance": tolerance, "largest_difference": found}
    write_whole(path.with_name(f"{path.name}.json"), json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return card


@torch.inference_mode()
def compare(network: Network, other: Callable[[Tensor], Prediction], batches: Sequence[Tensor]) -> dict[str, float]:
    """For each output, over all batches: the largest difference of floats, or the largest share of differing labels."""
    found: dict[str, float] = {}
    for batch in batches:
        expected, given = network(batch), other(batch)
        if _shapes(expected) != _shapes(given):
            raise ValueError(f"its outputs have other names or shapes than the run's for a batch of {len(batch)}")
        if "object_boxes" in expected:
            differences = object_difference(network.run(batch)["objects"], given, (batch.shape[-2], batch.shape[-1]))
            found |= {name: max(found.get(name, 0.0), value) for name, value in differences.items()}
        for name, value in expected.items():
            if name.startswith("object_"):
                continue
            apart = value - given[name] if value.is_floating_point() else (value != given[name]).float()
            difference = apart.abs().max() if value.is_floating_point() else apart.mean()
            found[name] = max(found.get(name, 0.0), float(difference.nan_to_num(nan=torch.inf)))
    return found


def _shapes(prediction: Prediction) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in prediction.items()}


def describe(network: Network, content: Mapping[str, Any], images: Tensor) -> dict[str, Any]:
    """What users of the file need: input, preprocessing, outputs, class names and source."""
    config, info = content["config"], DataInfo(**{key: tuple(names) for key, names in content["info"].items()})
    with torch.inference_mode():
        outputs = network(images)
    height, width = images.shape[-2:]
    return {
        "input": {
            "name": "images", "dtype": "uint8", "shape": ["batch", 3, height, width], "layout": "NCHW",
            "color": "RGB", "range": [0, 255], "normalization": "inside the network",
        },
        "preprocessing": {
            "orientation": "upright, as EXIF says",
            "decoding": "at full size: not a JPEG's decoder at a half, a quarter or an eighth of the sides",
            "resize": meaning(config["data"]["eval_transform"]),
            "steps": config["data"]["eval_transform"],
            "then": f"unless it is {height} high and {width} wide: resize to that, bilinear, antialiased, not cropped",
        },
        "outputs": {
            name: {
                "dtype": str(value.dtype).removeprefix("torch."), "shape": ["batch", *value.shape[1:]],
                "meaning": MEANING.get(name, ""),
            }
            for name, value in outputs.items()
        },
        "classes": list(info.classes),
        "mask_classes": list(info.mask_classes),
        "source": {
            **{group: config["choice"][group] for group in ("task", "backbone", "head", "data")},
            "run": str(config["run"]["name"]), "weights": fingerprint(content["state_dict"]),
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }  # fmt: skip


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """A hash of all names and tensors: equal weights have the same hash, in any file."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _attempt(name: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except ConfigError:
        raise
    except Exception as error:  # exporters raise errors of many types
        reason = " ".join((str(error).strip() or type(error).__name__).splitlines()[0].split())
        raise ConfigError(f"format={name} cannot express this network ({reason}); choose another format") from error


def _check(name: str, found: Mapping[str, float], tolerance: float) -> None:
    for output, difference in found.items():
        is_label = output in ("label", "labels", "mask", "object_labels", "object_masks")
        if difference > (LABELS if is_label else tolerance):
            what = f"{difference:.1%} of its labels" if is_label else f"by {difference:.2g}"
            raise ConfigError(
                f"format={name}: the file's {output} differs from the run's ({what}); nothing was written. "
                f"The allowed difference is tolerance={tolerance:g}"
            )
