"""safetensors: the weights under vggexp's names, with config and class names as JSON in the header.

No code, no pickles. vggexp accepts the file wherever it accepts a checkpoint, and as ``backbone.weights`` or
``head.weights`` of another run.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from vggexp.deploy.predict.network import Network
from vggexp.trainer.network import build_network
from vggexp.transfer.checkpoint import read_checkpoint
from vggexp.transfer.without_weights import without_weights
from vggexp.types import DataInfo, Prediction

SUFFIX = ".safetensors"


def write(network: Network, content: Mapping[str, Any], images: Tensor, path: Path) -> dict[str, Any]:
    """Write the state dict; the header's ``config`` and ``info`` are JSON."""
    tensors = {name: tensor.contiguous() for name, tensor in content["state_dict"].items()}
    header = {"format": "pt", **{key: json.dumps(content[key]) for key in ("config", "info")}}
    path.write_bytes(save(tensors, header))  # save_file would make the file readable for its owner only
    return {}


def read(path: Path) -> Callable[[Tensor], Prediction]:
    """The network, built from the file alone."""
    content = read_checkpoint(path)
    info = DataInfo(*(tuple(content["info"][name]) for name in ("classes", "mask_classes")))
    backbone, head, task = build_network(without_weights(content["config"]), info)
    for prefix, part in (("backbone.", backbone), ("head.", head)):
        assert isinstance(part, nn.Module)
        tensors = content["state_dict"].items()
        part.load_state_dict({name.removeprefix(prefix): value for name, value in tensors if name.startswith(prefix)})
    return torch.inference_mode()(Network(backbone, head, task))
