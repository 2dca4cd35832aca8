"""``summary``: list a network's parameters and FLOPs by layer, without allocating weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vggexp.config.check.trust import check_recorded
from vggexp.report.ledger import ledger
from vggexp.report.ledger_table import show
from vggexp.trainer.build import bind_freezing, build_network
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.types import DataInfo


def run(config: Mapping[str, Any]) -> int:
    """Print the table of the composed network, or of a finished run."""
    sizes = config["data"]
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
    show(ledger(backbone, head, (height, width), frozen.__contains__))
    return 0


def _names(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))
