"""Is trainer.compile worth its start? Fine-tuning steps compiled and not, in turns, in one process.

    TORCHINDUCTOR_CACHE_DIR=$(mktemp -d) python experiments/compile/measure.py vgg16_bn

An empty cache, because a compiler that finds its last work there starts sooner. Prints a JSON line.
"""

import copy
import json
import statistics
import sys
import time

import torch
from torch import Tensor, nn

from vggexp.backbone.vgg import VGG
from vggexp.distributed.memory import keep_freed_memory
from vggexp.head.mlp import MLP
from vggexp.learner.compile import compile_in_place
from vggexp.types import HeadSpec

BATCH, SIZE, CLASSES, TURNS = 16, 224, 1000, 5
NETS = {"vgg16": False, "vgg16_bn": True}


class Network:
    """A whole VGG16 and its optimizer: one step is forward, backward, AdamW."""

    def __init__(self, backbone: VGG, head: nn.Module) -> None:
        self.backbone, self.head = backbone, head
        parameters = [*backbone.parameters(), *head.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)

    def step(self, images: Tensor, labels: Tensor) -> float:
        """Seconds."""
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            images = images.contiguous(memory_format=torch.channels_last)
            outputs = self.head(self.backbone(self.backbone.normalize(images)))
            loss = nn.functional.cross_entropy(outputs, labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return time.perf_counter() - start


def main(net: str) -> None:
    """Measure one network."""
    torch.manual_seed(0)
    keep_freed_memory()
    backbone = VGG("D", batch_norm=NETS[net])
    head = MLP(HeadSpec(backbone.channels, backbone.strides, {"classification": CLASSES}))
    for part in (backbone, head):
        part.to(memory_format=torch.channels_last)
    plain, compiled = Network(copy.deepcopy(backbone), copy.deepcopy(head)), Network(backbone, head)
    compile_in_place(compiled.backbone, compiled.head)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (BATCH,))
    found = {"net": net, "threads": torch.get_num_threads()}
    found |= {"first_plain": plain.step(images, labels), "first_compiled": compiled.step(images, labels)}
    turns = [(plain.step(images, labels), compiled.step(images, labels)) for _ in range(TURNS)]
    for name, times in zip(("plain", "compiled"), zip(*turns, strict=True), strict=True):
        found[name] = [statistics.median(times), min(times), max(times)]
    found["ratio"] = [statistics.median(ratios := [a / b for a, b in turns]), min(ratios), max(ratios)]
    print(json.dumps({key: value if isinstance(value, (str, int)) else _short(value) for key, value in found.items()}))


def _short(value: float | list[float]) -> object:
    return round(value, 2) if isinstance(value, float) else [round(one, 2) for one in value]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "vgg16_bn")
