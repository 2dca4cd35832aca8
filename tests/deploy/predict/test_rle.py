"""COCO's run lengths: by hand, decoded again, and as COCO's own tools write them."""

import numpy as np
import pytest
import torch

from vggexp.deploy.predict.rle import encode, runs

MASKS = [
    np.zeros((3, 4)), np.ones((3, 4)), np.eye(5), np.arange(6).reshape(2, 3) % 2,
    np.random.default_rng(0).random((37, 53)) > 0.5, np.arange(200 * 300).reshape(200, 300) > 31_000,
]  # fmt: skip


def test_by_hand() -> None:
    """Down the columns: 0 1, 1 1, 0 0."""
    mask = np.array([[0, 1, 0], [1, 1, 0]], np.uint8)
    assert runs(mask) == [1, 3, 2]
    assert runs(1 - mask) == [0, 1, 3, 2]
    assert encode(torch.from_numpy(mask)) == {"size": [2, 3], "counts": "132"}


def letters_to_runs(letters: str) -> list[int]:
    """The inverse of the packing, as the format describes it."""
    found: list[int] = []
    value = shift = 0
    for letter in letters:
        bits = ord(letter) - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = shift = 0
    return found


@pytest.mark.parametrize("mask", MASKS, ids=range(len(MASKS)))
def test_it_can_be_read_again(mask: np.ndarray) -> None:
    whole = mask.astype(np.uint8)
    letters = encode(torch.from_numpy(whole))["counts"]
    assert isinstance(letters, str)
    lengths = letters_to_runs(letters)
    values = np.repeat(np.arange(len(lengths)) % 2, lengths)
    assert np.array_equal(values.reshape(whole.shape, order="F"), whole)


@pytest.mark.parametrize("mask", MASKS, ids=range(len(MASKS)))
def test_as_cocos_tools_write_it(mask: np.ndarray) -> None:
    tools = pytest.importorskip("pycocotools.mask", reason="COCO's own tools")
    whole = mask.astype(np.uint8)
    expected = tools.encode(np.asfortranarray(whole))
    assert encode(torch.from_numpy(whole)) == {"size": list(whole.shape), "counts": expected["counts"].decode()}
