"""Sends each word to the verb or to the recorded run that the verb reads, and refuses those without a place."""

import re
from collections.abc import Collection, Sequence

import yaml

from vggexp.config.check.schema import is_needed, no_option
from vggexp.config.help import CONF, TRAINS, groups
from vggexp.errors import ConfigError

_GROUPS_OF = {
    "resume": ["cache", "callback", "logger", "trainer"],
    "evaluate": ["data", "trainer"],
    "verify": ["data", "trainer"],
}
"""The groups whose option can change when a recorded run goes on or is scored; ``rerun`` takes all."""

_NO_PART = ("experiment", "augment")
"""Groups that set keys of others, and may be null."""


def require_options(verb: str, words: Sequence[str]) -> None:
    """ConfigError for ``group=null`` and ``~key``, where Hydra or the program would end in a traceback."""
    for word in words:
        group, equals, option = word.partition("=")
        if equals and group in groups() and group not in _NO_PART and {"null", ""} & set(option.split(",")):
            raise ConfigError(no_option(group))
        if verb in TRAINS and word.startswith("~") and is_needed(group[1:]):
            raise ConfigError(f"{word}: a training needs {group[1:]}; leave the word out, or set another value")


def route(verb: str, words: Sequence[str]) -> list[str]:
    """For verbs that read a recorded run, put the keys of the run's config, and its groups, under ``override``."""
    if verb == "advise":  # backbone.weights takes one source, and advise compares several
        words = [re.sub(r"^backbone\.weights=(?=\[)", "sources=", word) for word in words]
    own = yaml.safe_load((CONF / f"{verb}.yaml").read_text(encoding="utf-8"))
    if "override" not in own:
        return list(words)
    of_verb = {str(name) for each in own.get("defaults", ()) if isinstance(each, dict) for name in each}
    return [word if _is_own(word, {*own, *of_verb, "hydra"}) else _routed(verb, word) for word in words]


def _is_own(word: str, own: Collection[str]) -> bool:
    """Whether the word is a flag, a flag's value, or a key of the verb itself."""
    key, equals, _ = word.lstrip("+~").partition("=")
    return word.startswith("-") or (not equals and word[:1] != "~") or key.split(".")[0].split("/")[0] in own


def _routed(verb: str, word: str) -> str:
    key, _, value = word.lstrip("+").partition("=")
    if word.startswith("~"):
        raise ConfigError(f"{verb}: {word} removes a key of the recorded run, which keeps its keys; set another value")
    if key.partition("@")[0] not in groups():
        return f"+override.{key}={value}"
    allowed = [group for group in groups() if group not in _NO_PART] if verb == "rerun" else _GROUPS_OF.get(verb, [])
    if key not in allowed:
        can = f"of the groups it takes {', '.join(allowed) or 'none'}"
        why = "; rerun trains the run with another one" if key in groups() and key not in _NO_PART else ""
        raise ConfigError(f"{verb}: {word} cannot change what was recorded: {can}{why}")
    return f"+override.choice.{key}={value}"
