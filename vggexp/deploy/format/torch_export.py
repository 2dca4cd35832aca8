"""torch.export: torch's graph format, a ``.pt2`` file that ``torch.export.load`` reads without vggexp."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vggexp.deploy.predict.network import Network
from vggexp.types import Prediction

SUFFIX = ".pt2"


def write(network: Network, content: Mapping[str, Any], images: Tensor, path: Path) -> dict[str, Any]:
    """Write the graph for any batch size."""
    shapes = {"images": {0: torch.export.Dim("batch")}}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`create_unbacked_symint` is deprecated")  # torchvision 0.29's suppression
        program = torch.export.export(network, (images,), dynamic_shapes=shapes)
        # A layer is in `features` and in its stage, with shared tensors; torch's warning concerns GPUs only.
        warnings.filterwarnings("ignore", "No complete tensor found in the group")
        torch.export.save(program, path)
    return {}


def read(path: Path) -> Callable[[Tensor], Prediction]:
    """The graph as a function, on the CPU."""
    network = torch.export.load(path).module()

    def predict(images: Tensor) -> Prediction:
        with torch.inference_mode():
            prediction: Prediction = network(images)
        return prediction

    return predict
