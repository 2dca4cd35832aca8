"""The linear classifier: averages, then one layer."""

import torch

from vggexp.head.linear import Linear
from vggexp.types import Features, HeadSpec

SPEC = HeadSpec((64, 512), (2, 4), {"classification": 1000})


def test_parameters() -> None:
    assert sum(p.numel() for p in Linear(SPEC).parameters()) == 512 * 1000 + 1000


def test_sees_only_the_mean_of_the_last_stage() -> None:
    torch.manual_seed(0)
    head, last = Linear(SPEC), torch.randn(2, 512, 3, 5)
    expected = last.mean((2, 3)) @ head.classifier.weight.T + head.classifier.bias
    shuffled = last.flatten(2)[:, :, torch.randperm(15)].view_as(last)
    for stage in (last, shuffled):
        logits = head(Features((torch.randn(2, 64, 6, 10), stage), (12, 20)))
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_dropout_falls_on_the_averages() -> None:
    features = Features((torch.zeros(1, 64, 2, 2), torch.ones(1, 512, 1, 1)), (4, 4))
    head = Linear(SPEC, dropout=1.0)
    assert torch.equal(head(features)[0], head.classifier.bias)
    assert not torch.equal(head.eval()(features)[0], head.classifier.bias)
