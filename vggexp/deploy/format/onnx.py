"""ONNX: a graph of operators for onnxruntime, TensorRT, OpenVINO and browsers. One file, any batch size."""

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor

from vggexp.deploy.predict.network import Network
from vggexp.errors import ConfigError
from vggexp.types import Prediction

SUFFIX = ".onnx"
OPSET = 20
"""onnxruntime reads it since 1.17 (January 2024)."""


def write(
    network: Network, content: Mapping[str, Any], images: Tensor, path: Path, opset: int | None = None
) -> dict[str, Any]:
    """Write the graph; its input is named ``images``, its outputs as in the prediction.

    Args:
        network, content, images, path: as in every format.
        opset: version of the operator set; None: ``OPSET``.

    Raises:
        ConfigError: torch wrote the file in another opset.
    """
    opset = opset or OPSET
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # it warns about intentionally empty attributes
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    with torch.inference_mode():
        names = list(network(images))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`create_unbacked_symint` is deprecated")  # torchvision 0.29's suppression
        torch.onnx.export(
            network,
            (images,),
            path,
            dynamo=True,
            input_names=["images"],
            output_names=names,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            opset_version=opset,
            external_data=False,
            verbose=False,
        )
    if (written := _opset(path)) != opset:
        raise ConfigError(
            f"onnx.opset={opset} cannot be written: torch gives opset {written}; give onnx.opset={written}"
        )
    return {"opset": written, "checked_with": f"onnxruntime {onnxruntime.__version__}"}


def _opset(path: Path) -> int:
    """The version of ONNX's operator set in a file."""
    imports = onnx.load(path, load_external_data=False).opset_import
    return next(int(entry.version) for entry in imports if entry.domain in ("", "ai.onnx"))


def read(path: Path) -> Callable[[Tensor], Prediction]:
    """The file as a function, run by onnxruntime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def predict(images: Tensor) -> Prediction:
        values = session.run(names, {"images": images.numpy()})
        return {name: torch.from_numpy(value) for name, value in zip(names, values, strict=True)}

    return predict
