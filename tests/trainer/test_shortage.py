"""What ran out is one line with the key to change. The errors are torch's own."""

import pytest
import torch

from vggexp.errors import DataError
from vggexp.sample.loader import make_loader
from vggexp.trainer.shortage import explained
from vggexp.types import Sample

CONFIG = {"data": {"workers": 2, "batch_size": 32, "timeout": 1}}


class Hanging(torch.utils.data.Dataset[Sample]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        import time

        time.sleep(60)
        return {"index": torch.tensor(index)}


def test_memory() -> None:
    with pytest.raises(DataError, match=r"memory is full .*data\.batch_size .now 32"), explained(CONFIG):
        torch.empty(10**15)


def test_a_loading_process_that_hangs() -> None:
    loader = make_loader(Hanging(), 2, 1, None, timeout=0.2)
    with pytest.raises(DataError, match=r"data\.timeout=1 s"), explained(CONFIG):
        next(iter(loader))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has", "2.00 GiB more .*data.batch_size"),
        ("DataLoader worker (pid 12) is killed by signal: Killed. ", "Killed.*data.workers=1"),
        ("DataLoader worker (pid 1) is killed by signal: Bus error. dataloader's workers are out of "
         "shared memory. Please try to raise your shared memory limit.", "/dev/shm"),
        ("unable to write to file </torch_1_2>: No space left on device (28)", "/dev/shm"),
    ],
)  # fmt: skip
def test_what_torch_says(text: str, key: str) -> None:
    with pytest.raises(DataError, match=key), explained(CONFIG):
        raise RuntimeError(text)


def test_another_error_stays() -> None:
    with pytest.raises(RuntimeError, match="shape"), explained(CONFIG):
        raise RuntimeError("shape mismatch")
