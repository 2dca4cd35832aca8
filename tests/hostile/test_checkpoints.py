"""Files that are no checkpoints, or no whole ones."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hostile.conftest import Refused, ending
from vggexp.command.restore import restore
from vggexp.run_folder import RunFolder
from vggexp.transfer.checkpoint import read_checkpoint, write_checkpoint

CASES: dict[str, tuple[Any, str]] = {
    "empty": (b"", "is not a checkpoint that can be read"),
    "text": (b"hello\n", "is not a checkpoint that can be read"),
    "zeros": (bytes(5000), "is not a checkpoint that can be read"),
    "a ZIP": (b"PK\3\4" + bytes(100), "it is no checkpoint, or was cut off"),
    "a pickle": (b"\x80\x02cos\nsystem\nq\x00X\x07\x00\x00\x00touch xq\x01\x85q\x02Rq\x03.", "nothing in it was run"),
    "a number": (5, "it holds a int"),
    "a list": ([1, 2], "it holds a list"),
    "weights": ({"a.weight": torch.zeros(2)}, "it holds weights and no config"),
    "a config that is text": ({"config": "x", "info": {}, "state_dict": {}}, ""),
    "an empty config": ({"config": {}, "info": {}, "state_dict": {}}, ""),
    "code": ({"config": {"a": {"_target_": "os.system"}}, "info": {}, "state_dict": {}}, "does not offer"),
}


@pytest.mark.parametrize("case", CASES)
def test_files_that_are_no_checkpoints(case: str) -> None:
    content, message = CASES[case]
    if isinstance(content, bytes):
        Path("x.ckpt").write_bytes(content)
    else:
        torch.save(content, "x.ckpt")
    code, errors = ending(lambda: restore(Path("x.ckpt"), {}))
    assert code in (1, 2), errors
    assert errors.count("\n") == 1
    assert "x.ckpt" in errors
    assert message in errors
    assert not Path("x").exists()


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 16, b"\x08" + bytes(7) + b"{}      ", bytes(8)])
def test_files_that_are_no_safetensors(content: bytes) -> None:
    Path("x.safetensors").write_bytes(content)
    code, errors = ending(lambda: restore(Path("x.safetensors"), {}))
    assert (code, errors.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["config"].pop("task"), "task"),
        (lambda content: content["config"].update(task=None), "cannot be used"),
        (lambda content: content["config"].pop("data"), "data"),
        (lambda content: content["config"].update(backbone=[]), "cannot be used"),
        (lambda content: content["config"]["backbone"].update(net="Z"), "Z"),
        (lambda content: content["config"]["backbone"].update(width="x"), "backbone: "),
        (lambda content: content["config"]["backbone"].update(foo=1), "foo"),
        (lambda content: content["config"].update(choice=None), ""),
        (lambda content: content.update(info={}), "classes"),
        (lambda content: content.update(info={"classes": 5, "mask_classes": []}), "info"),
        (lambda content: content.update(state_dict={}), ""),
        (lambda content: content.update(state_dict=[1]), "state_dict"),
        (lambda content: content["state_dict"].update(dict.fromkeys(list(content["state_dict"])[:1], 5)), ""),
        (lambda content: content["state_dict"].update({next(iter(content["state_dict"])): torch.zeros(1)}), ""),
    ],
)
def test_checkpoints_whose_parts_do_not_fit(change: Callable[[Any], Any], message: str, trained: Path) -> None:
    content = read_checkpoint(trained)
    change(content)
    write_checkpoint(Path("x.ckpt"), content)
    code, errors = ending(lambda: restore(Path("x.ckpt"), {}))
    assert code in (1, 2), errors
    assert errors.count("\n") == 1
    assert message in errors


def mangled(content: bytes, chance: random.Random) -> bytes:
    """The bytes with a cut, flipped bits, a hole, or a part replaced by noise."""
    changed, start = bytearray(content), chance.randrange(len(content))
    kind = chance.randrange(4)
    if kind == 0:
        return content[:start]
    if kind == 1:
        for _ in range(chance.choice((1, 3, 50))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        del changed[start : start + chance.randrange(1, 5000)]
    else:
        noise = chance.randbytes(chance.randrange(1, 5000))
        changed[start : start + len(noise)] = noise
    return bytes(changed)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> bytes:
    """A checkpoint of a run's kind with few weights, so that much of it is structure."""
    small = {
        **read_checkpoint(RunFolder(trained).path),
        "state_dict": {"a": torch.arange(50.0), "b": torch.zeros(3, 4)},
    }
    path = tmp_path_factory.mktemp("small") / "x.ckpt"
    write_checkpoint(path, small)
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(7))
def test_mangled_checkpoints(seed: int, content: bytes) -> None:
    """350 of them: none ends in a traceback."""
    chance = random.Random(seed)
    for _ in range(50):
        Path("x.ckpt").write_bytes(mangled(content, chance))
        code, errors = ending(lambda: restore(Path("x.ckpt"), {}))
        assert (code, errors.count("\n")) in ((0, 0), (1, 1), (2, 1)), errors


VERBS = ["evaluate", "export", "demo"]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("content", [b"", b"hello"])
def test_verbs_that_read_one(verb: str, content: bytes, refused: Refused) -> None:
    Path("x.ckpt").write_bytes(content)
    refused([verb, "x.ckpt"], 1, "x.ckpt is not a checkpoint")
