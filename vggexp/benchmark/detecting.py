"""The rounds of detectors: steps and inference of each on a batch that stays in memory."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, device_of
from vggexp.types import Batch, ObjectList, Objects

OBJECTS = 5
"""Objects of an image."""


@dataclass(frozen=True)
class Detector:
    """One contestant's detector; each call works through one batch and waits for the device."""

    step: Callable[[], object]
    infer: Callable[[], object]


def batch_of(config: Config, classes: int) -> Batch:
    """Random images with random objects, on the device."""
    generator = torch.Generator().manual_seed(0)
    height, width = config["data"]["image_size"]
    count, sides = config["data"]["batch_size"], torch.tensor((width, height))
    images = torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)
    objects = ObjectList()
    for _ in range(count):
        corner = torch.rand(OBJECTS, 2, generator=generator) * 0.6
        side = 0.1 + torch.rand(OBJECTS, 2, generator=generator) * 0.3
        labels = torch.randint(0, classes, (OBJECTS,), generator=generator)
        objects.append(Objects(torch.cat((corner * sides, (corner + side) * sides), 1), labels))
    device = device_of(config)
    return {"image": images.to(device), "index": torch.arange(count, device=device), "objects": objects.to(device)}


def take_detections(detectors: Mapping[str, Detector], count: int, images: int, rounds: Rounds) -> None:
    """A round is ``count`` steps and as many batches of inference of each detector; one of each is the warm-up."""
    works = {
        f"{name} {kind}": work
        for name, detector in detectors.items()
        for kind, work in (("step", detector.step), ("inference", detector.infer))
    }
    for work in works.values():
        work()
    while True:
        rounds.begin()
        rounds.end(count * images, seconds={name: _seconds(work, count) for name, work in works.items()})


def _seconds(work: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        work()
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter() - start
