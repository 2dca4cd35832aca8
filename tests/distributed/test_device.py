"""Devices and precision, on this machine and on ones that are only imagined."""

import pytest
import torch

from vggexp.distributed.device import Kind, device_kind, resolve_devices, resolve_precision, widest_float
from vggexp.distributed.processes import num_gpus
from vggexp.task.localization import Localization
from vggexp.task.metric.box import BoxMetrics
from vggexp.task.metric.counts import overlap
from vggexp.task.metric.segmentation import SegmentationMetrics
from vggexp.types import Batch, DataInfo


@pytest.mark.parametrize(
    ("present", "gpus", "expected"),
    [(0, None, ("cpu", 1)), (0, 0, ("cpu", 1)), (4, None, ("cuda", 1)), (4, 0, ("cpu", 1))],
)
def test_devices(present: int, gpus: int | None, expected: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: present)
    assert resolve_devices(gpus) == expected


def test_several_gpus_need_torchruns_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    with pytest.raises(ValueError, match=r"trainer\.gpus=4, and 1 process\(es\) here"):
        resolve_devices(4)
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert resolve_devices(4) == resolve_devices(None) == ("cuda", 4)
    assert resolve_devices(0) == ("cpu", 4)
    with pytest.raises(ValueError, match=r"trainer\.gpus=2, and 4 process\(es\) here"):
        resolve_devices(2)


def test_more_gpus_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"trainer\.gpus=4, and this machine has 2; trainer\.gpus=0 uses the CPU"):
        resolve_devices(4)


@pytest.mark.parametrize("has_bf16", [True, False])
def test_auto_precision_follows_the_hardware(has_bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bf16)
    kinds: tuple[Kind, ...] = ("cuda", "cpu")
    for kind in kinds:
        assert resolve_precision("auto", kind) == ("bf16-mixed" if has_bf16 else "32-true")
    assert resolve_precision("auto", "mps") == "32-true"


def test_named_precisions() -> None:
    assert resolve_precision("16-mixed", "cpu") == "32-true"
    assert [resolve_precision(name, "cuda") for name in (32, "32", "bf16-mixed", "16-mixed")] == [
        "32-true", "32-true", "bf16-mixed", "16-mixed",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="choose from: auto, 32, bf16-mixed, 16-mixed"):
        resolve_precision("64", "cpu")


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac with a GPU of Apple's, as far as torch says what is there; nobody has run this on one."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")


def test_a_mac_has_one_gpu(mac: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert num_gpus() == 1
    assert [device_kind(gpus) for gpus in (None, 0, 1)] == ["mps", "cpu", "mps"]
    assert [resolve_devices(gpus) for gpus in (None, 0, 1)] == [("mps", 1), ("cpu", 1), ("mps", 1)]
    with pytest.raises(ValueError, match=r"trainer\.gpus=2, and this machine has 1; trainer\.gpus=0 uses the CPU"):
        resolve_devices(2)
    assert [resolve_precision(name, "mps") for name in ("auto", 32, "bf16-mixed", "16-mixed")] == [
        "32-true", "32-true", "bf16-mixed", "16-mixed",
    ]  # fmt: skip
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert resolve_devices(None) == ("cpu", 2)  # which cannot be shared


def test_an_intel_mac_has_none(mac: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert num_gpus() == 0


def test_nothing_that_moves_to_a_macs_gpu_is_float64(mac: None) -> None:
    """Apple's GPU has none, and ``to("mps")`` raises on such a tensor; elsewhere long sums are float64."""
    info = DataInfo(("a", "b"), ("background", "a"))
    batch: Batch = {"box": torch.rand(2, 4), "mask": torch.ones(2, 4, 4, dtype=torch.uint8), "index": torch.arange(2)}
    task = Localization(info, torch.nn.MSELoss())
    task.observe(batch)
    scores: list[BoxMetrics | SegmentationMetrics] = [task.metrics(), SegmentationMetrics(info.mask_classes)]
    for metrics in scores:
        metrics.update({"box": batch["box"], "mask": batch["mask"].long()}, batch)
        found = {name: float(value) for name, value in metrics.compute().items() if name in ("box_iou", "miou")}
        assert found
        assert all(value == pytest.approx(1, abs=1e-6) for value in found.values())  # of float32
    held = [*task.buffers(), *(getattr(metrics, name) for metrics in scores for name in metrics.metric_state)]
    assert len(held) == 7
    assert torch.float64 not in {tensor.dtype for tensor in held}
    assert overlap(torch.eye(2))[0].dtype == widest_float() == torch.float32
