"""``export``: write a finished run as ONNX, torch.export or safetensors, and compare each file with the run."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vggexp.command.restore import Restored, restore
from vggexp.deploy.export import export, load_format
from vggexp.deploy.predict.network import Network
from vggexp.deploy.predict.photos import load
from vggexp.deploy.predict.view import View
from vggexp.errors import ConfigError
from vggexp.sample.image_files import find_images


def run(config: Mapping[str, Any]) -> int:
    """Write each format, and print its largest difference from the run."""
    names = [config["format"]] if isinstance(config["format"], str) else list(config["format"])
    restored = restore(Path(config["checkpoint"]), config["override"], config["trust"])
    files = {name: target(config, restored, name, load_format(name).SUFFIX) for name in names}
    learner = restored.learner
    network = Network(learner.backbone, learner.head, learner.task)
    content = {"config": restored.config, "info": asdict(restored.info), "state_dict": learner.state_dict()}
    batches = list(samples(config, restored))
    sizes = " and ".join(str(len(batch)) for batch in batches)
    for name, path in files.items():
        own = {"tolerance": config["tolerance"], "options": config.get(name) or {}}
        card = export(name, network, content, batches, path, **own)
        differences = card["check"]["largest_difference"]
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, checked on batches of {sizes}:")
        print("  largest difference: " + ", ".join(f"{output} {value:.2g}" for output, value in differences.items()))
    return 0


def target(config: Mapping[str, Any], restored: Restored, name: str, suffix: str) -> Path:
    """The path of a format's file: named after the run, unless ``output`` names a file. Existing files are refused."""
    output = Path(str(config["output"])) if config["output"] is not None else restored.folder / "export"
    is_file = output.suffix in (".onnx", ".pt2", ".safetensors")
    if is_file and output.suffix != suffix:
        raise ConfigError(f"output={output}: a file of format={name} ends in {suffix}; a folder takes several formats")
    path = output if is_file else output / f"{restored.folder.resolve().name}{suffix}"
    if path.exists() and not config["overwrite"]:
        raise ConfigError(f"{path} is there already; name another output, or say overwrite=true")
    return path


def samples(config: Mapping[str, Any], restored: Restored) -> Iterator[Tensor]:
    """The batches to compare on: one random image, the photos that were named, three random images."""
    data = restored.config["data"]
    height, width = data["image_size"]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (4, 3, height, width), dtype=torch.uint8, generator=generator)
    yield noise[:1]
    if config["input"] is not None:
        view = View(data["eval_transform"], (height, width))
        for group in load(find_images(config["input"]), view, data["batch_size"], workers=0, previews=False):
            if group.photos:
                yield group.seen
            for message in group.unread:
                print(f"not read: {message}")
    yield noise[1:]
