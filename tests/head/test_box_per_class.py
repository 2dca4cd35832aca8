"""Per-class regression: the paper's 4 x 1000 outputs, and their order."""

import torch
from torch import nn

from vggexp.head.box import Box
from vggexp.head.box_per_class import BoxPerClass
from vggexp.types import Features, HeadSpec


def test_layers_are_the_papers() -> None:
    with torch.device("meta"):
        head = BoxPerClass(HeadSpec((512,), (32,), {"localization": 1000}))
    layers = [layer for layer in head.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in layers] == [4096, 4096, 4 * 1000]
    assert {layer.p for layer in head.modules() if isinstance(layer, nn.Dropout)} == {0.5}


def test_each_class_has_four_units_of_its_own() -> None:
    torch.manual_seed(0)
    features = Features((torch.randn(2, 8, 3, 4),), (6, 8))
    head = BoxPerClass(HeadSpec((8,), (2,), {"localization": 5}), hidden=[16], pool=2, dropout=0)
    before = head(features)
    with torch.no_grad():
        head.regressor[-1].bias[4 * 3 + 2] += 1  # the height of class 3
    changed = (head(features) != before).nonzero().tolist()
    assert changed == [[0, 3, 2], [1, 3, 2]]


def test_one_class_is_the_single_box() -> None:
    torch.manual_seed(0)
    spec, features = HeadSpec((8,), (2,), {"localization": 1}), Features((torch.randn(2, 8, 3, 4),), (6, 8))
    single, per_class = Box(spec, hidden=[16], pool=2), BoxPerClass(spec, hidden=[16], pool=2, dropout=0)
    per_class.load_state_dict(single.state_dict())
    assert torch.equal(per_class(features)[:, 0], single(features))
