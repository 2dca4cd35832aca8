import sys

import pytest

from vggexp.errors import ConfigError
from vggexp.loss.dice import Dice


def test_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch.losses", None)
    with pytest.raises(ConfigError, match=r"loss=dice needs segmentation-models-pytorch; pip install 'vggexp\[smp\]'"):
        Dice()
