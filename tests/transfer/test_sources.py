"""The checkpoints that a run starts from."""

from pathlib import Path
from typing import Any

import pytest

from vggexp.run_folder import RunFolder
from vggexp.transfer.checkpoint import write_checkpoint
from vggexp.transfer.sources import changed_source, source_sums, write_sources


def config(weights: str) -> dict[str, Any]:
    return {"backbone": {"weights": weights}, "head": {"part": {"classification": {"weights": "none"}}}}


@pytest.fixture
def source() -> RunFolder:
    folder = RunFolder("source")
    write_checkpoint(folder.best, {"epoch": 1})
    return folder


def test_a_source_that_was_trained_again_is_named(source: RunFolder) -> None:
    run, own = RunFolder("run"), config("source")
    run.path.mkdir()
    assert list(source_sums(own)) == ["source"]
    write_sources(run, own)
    assert changed_source(run, own) is None
    write_checkpoint(source.best, {"epoch": 2})
    assert changed_source(run, own) == "source"
    assert changed_source(run, config(str(source.best))) is None  # not known: the run began with another name for it


def test_what_has_no_checksum_is_no_source() -> None:
    Path("other.pth").write_bytes(b"short")
    for weights in ("none", "imagenet", "other.pth", "missing"):
        assert source_sums(config(weights)) == {}
    run = RunFolder("run")
    run.path.mkdir()
    write_sources(run, config("none"))
    assert not run.sources.exists()
    assert changed_source(run, config("none")) is None
