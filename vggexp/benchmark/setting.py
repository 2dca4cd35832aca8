"""What contestants share, so that they differ only in how they train: config, network, loss."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vggexp.config.compose import launch, settle
from vggexp.distributed.device import device_kind
from vggexp.trainer.network import bind_freezing, build_data, build_network
from vggexp.types import DataInfo

Config = dict[str, Any]


class Network(nn.Module):
    """Normalised images to outputs: backbone and head as a plain module."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) to the head's outputs."""
        outputs: Tensor = self.head(self.backbone(images, self.head.reads))
        return outputs


def config_of(words: tuple[str, ...]) -> Config:
    """The config of a training, composed as the command line does."""
    found: list[Config] = []
    launch("train", last_of_each(words), lambda config: found.append(settle("train", config)), stamp="benchmark")
    return found[0]


def last_of_each(words: Sequence[str]) -> list[str]:
    """Each key once, with its last value, because Hydra rejects a group that appears twice.

    >>> last_of_each(("seed=1", "head=mlp", "seed=2"))
    ['seed=2', 'head=mlp']
    """
    return list({word.partition("=")[0]: word for word in words}.values())


def info_of(config: Config) -> DataInfo:
    """The classes of the photos."""
    return build_data(config).info


def network_of(config: Config, info: DataInfo) -> Network:
    """The network; what its policy freezes in epoch 0 has ``requires_grad = False``."""
    backbone, head, _ = build_network(config, info)
    assert isinstance(backbone, nn.Module)
    assert isinstance(head, nn.Module)
    bind_freezing(config, backbone, head).apply(0)
    return Network(backbone, head)


def criterion_of(config: Config) -> nn.Module:
    """Cross-entropy that ignores void pixels."""
    return nn.CrossEntropyLoss(ignore_index=255)


def device_of(config: Config) -> torch.device:
    """The GPU, if the training would use one."""
    return torch.device(device_kind(config["trainer"]["gpus"]))
