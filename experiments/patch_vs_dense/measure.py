"""A classifier of patches slid over an image, against the same network made fully convolutional.

    python experiments/patch_vs_dense/measure.py [--sizes 64 128 224] [--patches 2048] [--output result.json]

Both give the same map of logits; the table says how far apart they are, the operations that each takes, and the time on
one thread. Time is the processor's (``time.process_time``), which other programs on the machine hardly change. Of an
image with more pixels than ``--patches``, the time of that many patches is measured and multiplied.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vggexp.backbone.patch import Patch
from vggexp.head.patch import Patch as PatchHead
from vggexp.sample.mirror import mirrored
from vggexp.types import HeadSpec

CLASSES = 11
BATCH = 64


class Network(nn.Module):
    """The default of ``backbone=patch head=patch``, in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Patch()
        self.head = PatchHead(HeadSpec(self.backbone.channels, self.backbone.strides, {"segmentation": CLASSES}))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, C, H, W) of normalised images."""
        logits: Tensor = self.head(self.backbone(images))
        return logits


def main(words: list[str]) -> int:
    """Measure each size, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 224])
    parser.add_argument("--patches", type=int, default=2048)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network().eval()
    rows = []
    print(
        "| image | patches, s | dense, s | times faster | patches, GFLOP | dense, GFLOP | ratio | largest difference |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for size in given.sizes:
        rows.append(row := measured(network, size, given.patches))
        print(
            f"| {size} x {size} | {row['patch_seconds']:.3g} | {row['dense_seconds']:.3g} | {row['speedup']:.0f} | "
            f"{row['patch_gflop']:.4g} | {row['dense_gflop']:.4g} | "
            f"{row['flop_ratio']:.0f} | {row['difference']:.1e} |",
            flush=True,
        )
    if given.output:
        content = {
            "torch": torch.__version__,
            "threads": 1,
            "batch": BATCH,
            "patch": network.backbone.patch,
            "rows": rows,
        }
        given.output.write_text(json.dumps(content, indent=2) + "\n")
    return 0


@torch.inference_mode()
def measured(network: Network, size: int, limit: int) -> dict[str, float]:
    """Seconds, operations and the largest difference of the two forms, for one square image."""
    image = torch.randn(1, 3, size, size)
    side = network.backbone.patch
    patches = mirrored(image, side // 2)[0].unfold(-2, side, 1).unfold(-2, side, 1)
    places = torch.randperm(size * size)[:limit]
    network(image)  # once to warm up
    repeats = 3
    begin = time.process_time()
    for _ in range(repeats):
        dense = network(image)
    dense_seconds = (time.process_time() - begin) / repeats
    begin, found = time.process_time(), []
    for some in places.split(BATCH):
        ones = patches[:, some // size, some % size].transpose(0, 1).contiguous()
        found.append(network(ones)[..., side // 2, side // 2])
    patch_seconds = (time.process_time() - begin) * size * size / len(places)
    apart = (torch.cat(found) - dense[0].flatten(1).T[places]).abs().max()
    of_patch, of_image = flops(network, side) * size * size, flops(network, size)
    return {
        "size": size,
        "patches_timed": len(places),
        "patch_seconds": patch_seconds,
        "dense_seconds": dense_seconds,
        "speedup": patch_seconds / dense_seconds,
        "patch_gflop": of_patch / 1e9,
        "dense_gflop": of_image / 1e9,
        "flop_ratio": of_patch / of_image,
        "difference": float(apart),
        "logits_std": float(dense.std()),
    }


def flops(network: Network, size: int) -> int:
    """Floating-point operations for one image of this side, two for each multiplication with its addition."""
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, size, size))
    return counter.get_total_flops()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
