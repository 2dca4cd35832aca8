"""The course: its commands compose, run in their order, and are the same in both languages."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import TUTORIAL, chapters, commands, course, trains
from vggexp.config.help import groups, options, verbs
from vggexp.config.schema.known import schema

COURSE = course()
SHORT = (
    "trainer.max_epochs=1", "trainer.limit_train_batches=1", "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1", "trainer.precision=32", "trainer.val_every=1", "data.batch_size=4", "cache.views=1",
)  # fmt: skip
"""Of a training. One view, because features of four views would be computed for the whole split."""


def test_that_chapters_and_commands_are_found() -> None:
    assert [page.name[:2] for page in chapters()] == [f"{number:02}" for number in range(1, 8)]
    assert all(any(name == page.stem for name, _ in COURSE) for page in chapters())
    assert commands("text\n\n    python -m vggexp a='b c'   # d\n    $ python -m vggexp -m e=f,g\n") == [
        ["a=b c"], ["-m", "e=f,g"]
    ]  # fmt: skip


def test_every_word_is_one_that_its_verb_takes() -> None:
    """Without composing, which takes a fifth of a second a command; the slow test composes and runs them."""
    assert [(name, word) for name, words in COURSE for word in words if not known(word, words)] == []
    assert not any(known(word, []) for word in ("freeze=nothing", "trainer.epochs=1", "epochs=1", "sumary"))


def known(word: str, words: list[str]) -> bool:
    key, equals, value = word.lstrip("~+").partition("=")
    if not equals and not word.startswith("~"):
        return word == "-m" or word in verbs() or word.startswith("runs/")
    if key in groups() or key == "evaluation":
        return set(value.strip("[]").split(",")) <= set(options(key))
    return key in schema()["verb"].get(words[0] if words else "train", {}) or key in keys()


@cache
def keys() -> set[str]:
    """Every key of train: its own, those of its groups, and those of every constructor of ours."""
    grouped = {f"{group}.{key}" for group, owned in schema()["group"].items() for key in owned}
    made = {f"{name.split('.')[1]}.{key}" for name, owned in schema()["target"].items() for key in owned}
    return {*schema()["verb"]["train"], *grouped, *made, "optimizer.lr"}


@pytest.mark.parametrize("page", chapters(), ids=lambda page: page.stem)
def test_a_chapter_has_what_each_has(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert 2 <= text.count("<details") == text.count("</details>") <= 4
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
    assert pictures
    for described, name in pictures:
        assert len(described) > 20
        assert (page.parent / name).stat().st_size < 150_000


@pytest.mark.parametrize("page", chapters(), ids=lambda page: page.stem)
def test_the_portuguese_chapter_is_in_step(page: Path) -> None:
    """The same commands, pictures and numbers, as many headings, questions and rows of tables."""
    english, portuguese = (path.read_text(encoding="utf-8") for path in (page, TUTORIAL / "pt" / page.name))
    assert commands(portuguese) == commands(english)
    assert pictures(portuguese) == [f"../{name}" for name in pictures(english)]
    for mark in (r"^#+ ", r"<details", r"^\|", r"^ {4}\S"):
        assert len(re.findall(mark, portuguese, re.M)) == len(re.findall(mark, english, re.M)), mark
    assert figures(portuguese) == figures(english)


def test_there_is_no_chapter_in_portuguese_alone() -> None:
    names = [[path.name for path in sorted(folder.glob("*.md"))] for folder in (TUTORIAL, TUTORIAL / "pt")]
    assert names[0] == names[1]


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)


def figures(text: str) -> list[str]:
    """Every number of a page, in the order of size; Portuguese writes 1,5 for 1.5 and 1.000 for 1,000."""
    return sorted(re.sub(r"[.,]", "", number).lstrip("0") for number in re.findall(r"\d+(?:[.,]\d+)*", text))


@pytest.mark.slow
def test_the_course_runs_from_the_first_command_to_the_last(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    """Shortened to a batch of each split: every command ends well, and what the pages name then exists."""
    for name, words in COURSE:
        code, _, errors = vggexp(*words, *(SHORT if trains(words) else ()))
        assert code == 0, f"{name}: {words}: {errors}"
    for page in chapters():
        named = re.findall(r"`(runs/course[^`\s]*)`", page.read_text(encoding="utf-8"))
        assert [path for path in named if not Path(path).exists()] == [], page.name


def test_the_course_has_no_other_commands_than_those_that_are_tested() -> None:
    for page in (TUTORIAL / "README.md", *chapters()):
        assert set(re.findall(r"^ {4}([a-z][\w-]*) ", page.read_text(encoding="utf-8"), re.M)) <= {"python", "make"}
