"""``summary``: list a network's parameters and FLOPs by layer, and draw it, without allocating weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vggexp.config.check.trust import check_recorded
from vggexp.errors import ConfigError
from vggexp.report.console import console
from vggexp.report.ledger import ledger
from vggexp.report.ledger_table import show
from vggexp.report.picture.draw import Caption
from vggexp.report.picture.write import write_picture
from vggexp.trainer.network import bind_freezing, build_network
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.types import DataInfo


def run(config: Mapping[str, Any]) -> int:
    """Print the table of the composed network, or of a finished run, and draw it if there is an ``output``."""
    output, sizes = _output(config["output"]), config["data"]
    info = DataInfo(_names(sizes["classes"]), _names(sizes["mask_classes"]))
    if config["checkpoint"]:
        content = read_checkpoint(Path(config["checkpoint"]))
        check_recorded(config["checkpoint"], content["config"], config["trust"])
        config = content["config"]
        info = DataInfo(*(tuple(content["info"][name]) for name in ("classes", "mask_classes")))
    with torch.device("meta"):
        backbone, head, _ = build_network(config, info)
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    freezing = bind_freezing(config, backbone, head)
    rows = zip(freezing.parameters, freezing.factors(0), strict=True)
    frozen = {info.name for (info, _), factor in rows if factor == 0}
    height, width = config["data"]["image_size"]
    found = ledger(backbone, head, (height, width), frozen.__contains__)
    show(found)
    if output:
        write_picture(found, _caption(config, freezing.constant, sorted(head.reads)), output)
        console().print(f"drawn: {output}", soft_wrap=True)
    return 0


SUFFIXES = (".svg", ".html", ".pdf", ".png")
"""The forms of the picture."""


def _output(given: str | None) -> Path | None:
    """The picture's path; ConfigError for a form that is not known."""
    if given is None:
        return None
    path = Path(given)
    if path.suffix not in SUFFIXES or path.is_dir():
        raise ConfigError(f"output={given}: name a file that ends in {', '.join(SUFFIXES)}")
    return path


def _caption(config: Mapping[str, Any], is_constant: bool, reads: Sequence[str]) -> Caption:
    """What is said above and below the picture."""
    choice, sides = config["choice"], config["data"]["image_size"]
    name = config["backbone"].get("name") or choice["backbone"]
    size = f"{sides[0]} \N{MULTIPLICATION SIGN} {sides[1]} pixels"
    when = "every epoch" if is_constant else "its first epoch (0)"
    words = {"switches": "switches of the poolings", "skips": "skip: the map before the pooling"}
    return Caption(
        title=f"{name}, {choice['head']}: {choice['task'].replace('_', ' ')} of {size}",
        freezing="" if choice["freeze"] == "none" else f"freeze={choice['freeze']}, {when}",
        skips=next((text for word, text in words.items() if word in reads), "the stage's output"),
    )


def _names(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))
