"""Devices and precision, on this machine and on ones that are only imagined."""

import pytest
import torch

from vggexp.distributed.device import resolve_devices, resolve_precision


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
    for on_gpu in (True, False):
        assert resolve_precision("auto", on_gpu) == ("bf16-mixed" if has_bf16 else "32-true")


def test_named_precisions() -> None:
    assert resolve_precision("16-mixed", False) == "32-true"
    assert [resolve_precision(name, True) for name in (32, "32", "bf16-mixed", "16-mixed")] == [
        "32-true", "32-true", "bf16-mixed", "16-mixed",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="choose from: auto, 32, bf16-mixed, 16-mixed"):
        resolve_precision("64", False)
