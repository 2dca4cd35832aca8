"""Splits the command line into the verb, Hydra's flags and overrides; turns bare words into overrides.

The bare words of a verb are paths. A shell may expand ``photos/*`` to names that contain ``=`` or quotes or start with
``+``, ``~`` or ``-``. Therefore a word that exists as a path is read as a path, and is passed to the config unchanged.
"""

import os
import re
from collections.abc import Sequence
from itertools import pairwise

from vggexp.config.help import MAIN_ARGUMENTS, TAKES_A_LIST, verbs
from vggexp.errors import ConfigError, did_you_mean

FLAGS_WITH_VALUE = {
    "--cfg",
    "-c",
    "--package",
    "-p",
    "--config-dir",
    "-cd",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
}

PARTS = ("job", "hydra", "all")
"""What ``--cfg`` prints."""

FLAGS = {
    *FLAGS_WITH_VALUE,
    "--multirun",
    "-m",
    "--resolve",
    "--info",
    "-i",
    "--hydra-help",
    "--version",
    "--help",
    "-h",
}


def split_verb(words: Sequence[str]) -> tuple[str, list[str]]:
    """The verb (train by default) and the words for Hydra, with bare words turned into ``key=value``.

    >>> split_verb(["evaluate", "runs/x", "split=val"])
    ('evaluate', ["checkpoint='runs/x'", 'split=val'])
    >>> split_verb(["task=segmentation", "trainer.gpus=4"])
    ('train', ['task=segmentation', 'trainer.gpus=4'])
    >>> split_verb(["seed=1,2", "-m"])
    ('train', ['-m', 'seed=1,2'])
    >>> split_verb(["-m", "evaluate", "runs/x", "split=val,test"])
    ('evaluate', ['-m', "checkpoint='runs/x'", 'split=val,test'])
    """
    rest, verb = _apart(words), "train"
    place = _after_flags(rest)
    if place < len(rest) and _is_bare(rest[place]):
        verb = rest.pop(place)
        if verb not in verbs():
            raise ConfigError(f"there is no verb '{verb[:80]}'{did_you_mean(verb[:80], verbs())}")
    takes_paths = verb in MAIN_ARGUMENTS or verb in TAKES_A_LIST
    flags: list[str] = []  # Hydra accepts flags only before the overrides
    settings: list[str] = []
    bare: list[str] = []
    for word in rest:
        if flags and flags[-1] in FLAGS_WITH_VALUE:
            flags.append(word)
        elif word not in FLAGS and takes_paths and _is_path(word):
            bare.append(word)
        elif word.startswith("-"):
            flags.append(_known(word))
        else:
            (bare if _is_bare(word) else settings).append(_with_path(_keyed(word)))
    _check_flags(flags)
    return verb, flags + _named(bare, settings, verb) + settings


def _apart(words: Sequence[str]) -> list[str]:
    """The words, with ``--cfg=job`` as two."""
    found: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        if equals and flag in FLAGS and flag not in FLAGS_WITH_VALUE:
            raise ConfigError(f"{flag} takes no value; write {flag} {value}, in two words")
        found += [flag, value] if equals and flag in FLAGS_WITH_VALUE else [word]
    return found


def _after_flags(words: Sequence[str]) -> int:
    """The place of the first word that is neither a flag nor a flag's value."""
    place = 0
    while place < len(words) and words[place] in FLAGS:
        place += 2 if words[place] in FLAGS_WITH_VALUE else 1
    return place


def _known(flag: str) -> str:
    if flag.partition("=")[0] not in FLAGS:
        raise ConfigError(f"there is no flag '{flag}'{did_you_mean(flag, FLAGS)}")
    return flag


def _keyed(word: str) -> str:
    if word.lstrip("+~").startswith("="):
        raise ConfigError(f"'{word}' has no key before '='; write group=option or key=value")
    return word


def _check_flags(flags: Sequence[str]) -> None:
    """ConfigError for a flag whose value is missing, or is none of its words: argparse would print its usage."""
    if flags and flags[-1] in FLAGS_WITH_VALUE:
        raise ConfigError(f"{flags[-1]} is followed by nothing; give its value behind it")
    if {"--cfg", "-c", "--info", "-i"}.intersection(flags) and {"-m", "--multirun"}.intersection(flags):
        raise ConfigError(
            "-m runs a sweep, and --cfg and --info print one config and run nothing; leave one of them out"
        )
    if "--resolve" in flags and not {"--cfg", "-c"}.intersection(flags):
        raise ConfigError("--resolve goes with --cfg job, which prints the config; add it, or leave --resolve out")
    for flag, value in pairwise(flags):
        if flag in ("--cfg", "-c") and value not in PARTS:
            raise ConfigError(f"{flag} {value}: it prints a part of the config{did_you_mean(value, PARTS)}")


def _is_bare(word: str) -> bool:
    return "=" not in word and not word.startswith(("-", "+", "~"))


def _is_path(word: str) -> bool:
    """Whether the word exists as a path (broken links too), or has "/" before "=", which only hydra/ keys have."""
    key, equals, _ = word.partition("=")
    return os.path.lexists(word) or (bool(equals) and "/" in key and not key.startswith(("hydra/", "+", "~", "-")))


def _with_path(word: str) -> str:
    """The word; if its value exists as a path and has signs of Hydra's grammar in it, with the value quoted."""
    key, equals, value = word.partition("=")
    special = equals and re.search(r"""[=,(){}\[\]'"\\$]""", value)
    return f"{key}={quoted(value)}" if special and not _is_quoted(value) and os.path.lexists(value) else word


def _is_quoted(value: str) -> bool:
    return value[:1] in ("'", '"') and value[-1:] == value[:1]


def _named(bare: Sequence[str], settings: Sequence[str], verb: str) -> list[str]:
    """The bare words as overrides: first the main arguments that are not given by name, then the verb's list key.

    >>> _named(["runs/x", "a.jpg", "b.jpg"], [], "predict")
    ["checkpoint='runs/x'", "input=['a.jpg','b.jpg']"]
    >>> _named(["a.jpg"], ["checkpoint=runs/x"], "predict")
    ["input=['a.jpg']"]
    """
    given = {word.partition("=")[0] for word in settings}
    names = [name for name in MAIN_ARGUMENTS.get(verb, ()) if name not in given]
    named = [f"{name}={quoted(word)}" for name, word in zip(names, bare, strict=False)]
    rest, its_list = bare[len(names) :], TAKES_A_LIST.get(verb)
    if rest and (its_list is None or its_list in given):
        raise ConfigError(f"'{rest[0]}' is neither group=option nor key=value; see python -m vggexp {verb} --help")
    return [*named, f"{its_list}=[{','.join(quoted(word) for word in rest)}]"] if rest else named


def quoted(word: str) -> str:
    r"""A word quoted for Hydra's grammar, so that the config holds it unchanged.

    A backslash is an escape before a quote or at the end (Hydra) and before ``${`` (OmegaConf), and literal elsewhere.

    >>> print(quoted("it's.jpg"), quoted(r"back\slash.jpg"), quoted("${x}.jpg"))
    'it\'s.jpg' 'back\slash.jpg' '\${x}.jpg'
    """
    literal = re.sub(r"(\\*)\$\{", r"\1\1\\${", word)
    return "'" + re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), literal) + "'"
