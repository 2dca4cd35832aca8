"""Sends each word to the verb or to the recorded run that the verb reads, and refuses those without a place."""

import re
from collections.abc import Collection, Sequence

import yaml

from vggexp.config.check.schema import is_needed, no_option
from vggexp.config.help import CONF, TRAINS, groups
from vggexp.config.schema.known import schema
from vggexp.errors import ConfigError, did_you_mean

_GROUPS_OF = {
    "resume": ["cache", "callback", "logger", "trainer"],
    "evaluate": ["data", "trainer"],
    "verify": ["data", "trainer"],
}
"""The groups whose option can change when a recorded run goes on or is scored; ``rerun`` takes all."""

_SEVERAL = ("callback", "logger")
"""Groups that take a list of options."""
_NO_PART = ("experiment", "augment")
"""Groups that set keys of others, and may be null."""


def require_options(verb: str, words: Sequence[str]) -> None:
    """ConfigError for ``group=null`` and ``~key``, where Hydra or the program would end in a traceback."""
    for word in words:
        group, equals, option = word.partition("=")
        if equals and group in groups() and group not in _NO_PART and {"null", ""} & set(option.split(",")):
            raise ConfigError(no_option(group))
        if equals and group in groups() and group not in (*_SEVERAL, "experiment") and option.startswith("["):
            given = option.strip("[]")
            several = f"; a sweep over several is -m {group}={given}"
            near = several if "," in given else did_you_mean(given, groups()[group])
            raise ConfigError(f"{word}: {group} takes one option{near}")
        if group in _SEVERAL and (twice := _twice(option.strip("[]").split(","))):
            raise ConfigError(f"{word} names {twice} twice; name each option once")
        if verb in TRAINS and word.startswith("~") and is_needed(group[1:]):
            raise ConfigError(f"{word}: a training needs {group[1:]}; leave the word out, or set another value")


def _twice(names: Sequence[str]) -> str:
    """The first name that stands there more than once; "" if none does."""
    given = [name.strip() for name in names]
    return next((name for name in given if name and given.count(name) > 1), "")


def route(verb: str, words: Sequence[str]) -> list[str]:
    """For verbs that read a recorded run, put the keys of the run's config, and its groups, under ``override``."""
    if verb == "advise":  # backbone.weights takes one source, and advise compares several
        words = [re.sub(r"^backbone\.weights=(?=\[)", "sources=", word) for word in words]
    own = yaml.safe_load((CONF / f"{verb}.yaml").read_text(encoding="utf-8"))
    if verb == "summary":
        _require_one_network(words)
    if "override" not in own:
        return list(words)
    of_verb = {str(name) for each in own.get("defaults", ()) if isinstance(each, dict) for name in each}
    known = {*own, *of_verb, "hydra"}
    return [word if _is_own(word, known) else _routed(verb, word, known) for word in words]


def _require_one_network(words: Sequence[str]) -> None:
    """ConfigError for a word about the network beside a run that is named, which has its own."""
    keys = {word: word.lstrip("+~").partition("=")[0].partition("@")[0].partition(".")[0] for word in words}
    if any(key == "checkpoint" and not word.endswith("=null") for word, key in keys.items()):
        for word, key in keys.items():
            if key in groups():
                raise ConfigError(f"summary: {word} has no effect beside a run, whose own network is shown; remove one")


def _is_own(word: str, own: Collection[str]) -> bool:
    """Whether the word is a flag, a flag's value, or a key of the verb itself."""
    key, equals, _ = word.lstrip("+~").partition("=")
    return word.startswith("-") or (not equals and word[:1] != "~") or key.split(".")[0].split("/")[0] in own


def _routed(verb: str, word: str, own: Collection[str]) -> str:
    key, _, value = word.lstrip("+").partition("=")
    if word.startswith("~"):
        raise ConfigError(f"{verb}: {word} removes a key of the recorded run, which keeps its keys; set another value")
    of_run = {*groups(), *(name.partition(".")[0] for name in schema()["verb"]["train"])}
    if (top := key.partition(".")[0].partition("@")[0]) not in of_run:
        near = did_you_mean(top, {*own, *of_run} - {"defaults", "override"})
        raise ConfigError(f"{verb}: there is no key '{key}'{near}")
    if key.partition("@")[0] not in groups():
        return f"+override.{key}={value}"
    allowed = [group for group in groups() if group not in _NO_PART] if verb == "rerun" else _GROUPS_OF.get(verb, [])
    if key not in allowed:
        can = f"of the groups it takes {', '.join(allowed) or 'none'}"
        why = "; rerun trains the run with another one" if key in groups() and key not in _NO_PART else ""
        raise ConfigError(f"{verb}: {word} cannot change what was recorded: {can}{why}")
    return f"+override.choice.{key}={value}"
