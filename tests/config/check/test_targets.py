"""A module or a class of the user's own that cannot be imported is one line; see docs/extend.md."""

from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]
KEYS = {"_target_": "mine.MyData", "provides": "[label]", "image_size": "[32, 32]", "batch_size": "8", "workers": "0",
        "train_transform": "[]", "eval_transform": "[]"}  # fmt: skip
MODULE = "class MyData:\n    pass\n"


@pytest.fixture
def mistake(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The line that a data set's YAML with other keys (None: without) and a module of this text end in."""

    def run(module: str | None = MODULE, name: str = "mine", **keys: str | None) -> str:
        monkeypatch.syspath_prepend(Path.cwd())
        if module is not None:
            Path(f"{name}.py").write_text(module)
        Path("conf_of_mine", "data").mkdir(parents=True)
        content = {**KEYS, **keys}
        lines = [f"{key}: {value}" for key, value in content.items() if value is not None]
        Path("conf_of_mine/data/mine.yaml").write_text("\n".join(lines))
        code, _, errors = vggexp("--config-dir", "conf_of_mine", "data=mine")
        assert code == 2
        assert errors.count("\n") == 1
        return errors

    return run


def test_a_module_that_is_not_there(mistake: Callable[..., str]) -> None:
    """Which module, from which YAML, where it was looked for; the mistake is found without torch."""
    errors = mistake(None, _target_="mypackag.MyData")
    assert "conf_of_mine/data/mine.yaml: there is no module 'mypackag', which _target_: mypackag.MyData names" in errors
    assert f"looked for in the current folder ({Path.cwd()}) and among the packages of " in errors


@pytest.mark.parametrize(
    ("module", "name", "target", "expected"),
    [
        (MODULE, "mine_a", "mine_a.MyDat", "mine_a.py; did you mean 'MyData'?"),
        (
            MODULE,
            "mine_b",
            "mine_b.data.MyData",
            "there is no module 'mine_b.data', which _target_: mine_b.",
        ),
        ("import no_such_module", "mine_c", "mine_c.MyData", "mine_c.MyData needs no_such_module: not installed"),
        ("class MyData(:", "mine_d", "mine_d.MyData", "mine_d.MyData cannot be imported: SyntaxError: invalid syntax"),
        ("1 / 0", "mine_e", "mine_e.MyData", "mine_e.MyData cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_cannot_be_used(
    module: str, name: str, target: str, expected: str, mistake: Callable[..., str]
) -> None:
    """Each has a name of its own, for Python imports a module once."""
    assert expected in mistake(module, name, _target_=target)
