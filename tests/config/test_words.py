"""Words that are paths, whatever a shell's expansion finds in a folder, reach the config letter for letter."""

import random
from pathlib import Path

import pytest

from vggexp.config.compose import as_dict, composed
from vggexp.config.words import quoted, split_verb
from vggexp.errors import ConfigError

NAMES = [
    "a=b.jpg", "input=c.jpg", "+plus.jpg", "++x=1.jpg", "~tilde.jpg", "~t=1.jpg", "-dash.jpg", "--d=1.jpg",
    r"back\slash.jpg", "back\\", r"two\\b.jpg", "it's.jpg", r"esc\'d.jpg", '"quoted".jpg', "a,b.jpg", "[1].jpg",
    "{a:1}.jpg",
    " blank .jpg", "$x.jpg", "${x}.jpg", r"\${x}.jpg", r"\\${x}.jpg", "$${", "日本語 é.jpg",
    "caf\udce9.jpg", "line\nbreak.jpg",
    "null", "true", "12", "(a).jpg", "a:b.jpg", "#1.jpg", "*.jpg", "choice(a,b)", "a???.jpg",
    "%20.jpg", "epoch=1-top1=0.14.ckpt",
]  # fmt: skip


def composed_from(verb: str, *words: str) -> dict[str, object]:
    named, settings = split_verb([verb, *words])
    return as_dict(composed(named, settings))


def test_what_a_shell_expands_is_what_the_config_says() -> None:
    for name in NAMES:
        Path(name).touch()
    assert composed_from("predict", "runs/x", *NAMES, "output=out")["input"] == NAMES


@pytest.mark.parametrize("name", ["a=b", "+plus", "~tilde", "-dash", r"back\slash", "${x}", "epoch=1-top1=0.14.ckpt"])
@pytest.mark.parametrize(
    ("verb", "key"),
    [("evaluate", "checkpoint"), ("predict", "checkpoint"), ("report", "input"), ("graft", "checkpoints")],
)  # fmt: skip
def test_the_main_argument_of_each_verb(verb: str, key: str, name: str) -> None:
    Path("runs").mkdir()
    for path in (name, f"runs/{name}"):
        Path(path).mkdir()
        assert composed_from(verb, path)[key] == ([path] if verb == "graft" else path)


def test_any_string_is_quoted_so_that_it_comes_back() -> None:
    """Backslashes, quotes and braces in every order: where the two grammars' escapes meet."""
    draw = random.Random(0)
    words = ["".join(draw.choices("\\'\"${}[],= a:é~", k=draw.randint(1, 8))) for _ in range(300)]
    assert as_dict(composed("predict", [f"input=[{','.join(map(quoted, words))}]"]))["input"] == words


def test_a_setting_stays_a_setting_and_a_missing_path_a_path() -> None:
    Path("-m").touch()
    Path("a=1.jpg").symlink_to("gone.jpg")
    words = ["predict", "runs/x", "-m", "output=out", "photos/b=2.jpg", "a=1.jpg", "hydra/launcher=basic"]
    assert split_verb(words)[1] == [
        "-m", "checkpoint='runs/x'", "input=['photos/b=2.jpg','a=1.jpg']", "output=out", "hydra/launcher=basic",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="there is no flag '-dash'"):
        split_verb(["predict", "runs/x", "-dash"])


def test_a_value_that_exists_is_a_path() -> None:
    for name in ("epoch=1-top1=0.14.ckpt", "a,b", "x(1)"):
        Path(name).touch()
        assert composed_from("evaluate", f"checkpoint={name}")["checkpoint"] == name
    Path("'3'").touch()
    assert composed_from("evaluate", "output='3'")["output"] == "3"
