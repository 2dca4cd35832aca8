"""What the machine could do: its matrix products a second, and how many operations an image takes.

The two divided are the least time that an image can take; time and again the share of it that a training reaches.
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
"""Of the square matrices: larger ones were no faster."""
PRODUCTS = 3


def steps(job: Job, rounds: Rounds, backward: bool = True) -> None:
    """Measure in each turn; tell the FLOPs of one image in training too."""
    config = config_of(job.words)
    device = device_of(config)
    dtype = dtype_of(config)
    count = flops_an_image(config, backward)
    matmul_rate(dtype, device)
    while True:
        rounds.begin()
        rounds.end(1, rate=matmul_rate(dtype, device), flops=count)


def evaluate(job: Job, rounds: Rounds) -> None:
    """The same, for a forward pass."""
    steps(job, rounds, backward=False)


def dtype_of(config: Config) -> torch.dtype:
    """What the config's training multiplies in."""
    precision = resolve_precision(config["trainer"]["precision"], device_kind(config["trainer"]["gpus"]))
    return {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision, torch.float32)


def matmul_rate(dtype: torch.dtype, device: torch.device, side: int | None = None) -> float:
    """FLOPs a second of the fastest of a few products of square matrices, 2 a multiply-add."""
    side = side or SIDES[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty(side, side, dtype=dtype, device=device)
    seconds = [_seconds(lambda: torch.mm(left, right, out=product), device) for _ in range(PRODUCTS)]
    return 2 * side**3 / min(seconds)


def flops_an_image(config: Config, backward: bool) -> int:
    """Of one image through the network, and back through what trains; counted on shapes, nothing is computed."""
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
