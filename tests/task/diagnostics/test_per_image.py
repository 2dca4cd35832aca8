import torch

from vggexp.task.diagnostics import per_image
from vggexp.task.diagnostics.per_image import Part, joined, listed, scores


def part(*indices: int) -> Part:
    index = torch.tensor(indices)
    return index, {"a": {"score": index / 10}, "b": {"score": index / 10 + 0.1, "more": torch.stack((index, index), 1)}}


def test_parts_come_together_in_the_order_of_the_split() -> None:
    index, rows = joined([part(4, 0), part(2)])
    assert index.tolist() == [0, 2, 4]
    assert rows["b"]["more"].tolist() == [[0, 0], [2, 2], [4, 4]]
    torch.testing.assert_close(scores(rows), torch.tensor([0.05, 0.25, 0.45]))


def test_a_large_split_is_not_listed() -> None:
    index, rows = joined([part(0, 1)])
    diagnostics = {"a": {"confusion": [[2]], "each": {"label": [0, 1]}}}
    assert listed(index, rows, diagnostics)["score"] == [0.05, 0.15]
    assert listed(index, rows, diagnostics)["diagnostics"] == diagnostics
    many = torch.arange(per_image.EACH + 1)
    assert listed(many, rows, diagnostics) == {"count": per_image.EACH + 1, "diagnostics": {"a": {"confusion": [[2]]}}}
