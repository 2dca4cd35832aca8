"""What Hydra says in several lines; most of it as a user meets it in test_door.py."""

from collections.abc import Callable

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
