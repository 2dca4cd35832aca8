"""What Hydra says in several lines; most of it as a user meets it in test_door.py."""

from collections.abc import Callable

import pytest

from vggexp.config.hydra_error import explain, missing_plugin


def test_the_keys_of_a_verb_are_composed_only_where_one_is_unknown() -> None:
    def never() -> set[str]:
        raise AssertionError

    assert explain(ValueError("the first line\nthe second"), never) == "the first line"
    assert explain(ValueError(), never) == "ValueError"


def test_a_missing_launcher_names_its_extra(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    assert missing_plugin("launcher", "joblib") == (
        "hydra/launcher=joblib is not installed; pip install 'vggexp[joblib]'"
    )
    code, _, errors = vggexp("-m", "hydra/launcher=jobli", "seed=1,2")
    assert code == 2
    assert "hydra/launcher has no option 'jobli'; did you mean 'joblib'?" in errors


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=1,2", "seed=1,2 holds several values: add -m to run a sweep over them; as one list, write 'seed=[1,2]'"),
        ("run.name=a=b", "put the value in quotes and the word in others: 'run.name=\"a=b\"'"),
        ("data.root=/x/a(1)", "'data.root=\"/x/a(1)\"'"),
        ("?=3", "cannot read '?=3': write group=option or key=value"),
    ],
)
def test_advice_how_to_write_a_value(word: str, message: str, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = vggexp(word)
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors


def test_advice_is_followed(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = vggexp('run.name="a=b"', "--cfg", "job")
    assert code == 0
    assert "name: a=b" in out
