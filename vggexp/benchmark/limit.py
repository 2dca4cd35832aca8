"""The limit of the machine: its matrix product FLOPs per second, and the FLOPs of one image.

FLOPs divided by rate is the minimum time of an image; its ratio to the measured time is the share of peak.
"""

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, config_of, device_of, info_of, network_of
from vggexp.distributed.device import device_kind, resolve_precision

SIDES = {"cpu": 3072, "cuda": 8192, "mps": 4096}
"""Side of the square matrices; larger ones were not faster."""
PRODUCTS = 3


def steps(job: Job, rounds: Rounds, backward: bool = True) -> None:
    """Measure the rate in each round; also report the FLOPs of one image in training."""
    config = config_of(job.words)
    device = device_of(config)
    dtype = dtype_of(config)
    count = flops_an_image(config, backward)
    matmul_rate(dtype, device)
    while True:
        rounds.begin()
        rounds.end(1, rate=matmul_rate(dtype, device), flops=count)


def evaluate(job: Job, rounds: Rounds) -> None:
    """The same with the FLOPs of a forward pass only."""
    steps(job, rounds, backward=False)


def dtype_of(config: Config) -> torch.dtype:
    """The dtype of the matrix products in the config's training."""
    precision = resolve_precision(config["trainer"]["precision"], device_kind(config["trainer"]["gpus"]))
    return {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision, torch.float32)


def matmul_rate(dtype: torch.dtype, device: torch.device, side: int | None = None) -> float:
    """FLOPs per second of the fastest of a few products of square matrices; a multiply-add counts 2."""
    side = side or SIDES[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty(side, side, dtype=dtype, device=device)
    seconds = [_seconds(lambda: torch.mm(left, right, out=product), device) for _ in range(PRODUCTS)]
    return 2 * side**3 / min(seconds)


def flops_an_image(config: Config, backward: bool) -> int:
    """FLOPs of one image forward, and backward through the trainable layers; counted from shapes without computing."""
    height, width = config["data"]["image_size"]
    info = info_of(config)
    with torch.device("meta"):
        network = network_of(config, info).eval()
        image = torch.empty(1, 3, height, width)
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
        outputs = network(image)
        if backward:
            outputs.sum().backward()
    return int(counter.get_total_flops())


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    work()
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter() - start
