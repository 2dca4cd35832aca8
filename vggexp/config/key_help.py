"""``--help`` of groups, options and single keys: types, ranges and meanings from ``config/schema``, without torch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from vggexp.config.help import CONF, first_comment, groups, help_text, options
from vggexp.config.schema.known import schema, wanted_in_range
from vggexp.errors import ConfigError, did_you_mean

Entries = Mapping[str, Mapping[str, Any]]


def help_for(words: Sequence[str]) -> str | None:
    """The help of what the words name: groups, ``group=option`` or keys; None if they name none of these.

    Raises:
        ConfigError: they name nothing but an option or a key that its group does not have.

    >>> print(help_for(["trainer.max_epochs"]))
    trainer.max_epochs: a whole number, at least 1
    """
    pages = [page for word in words if (page := _page(word.lstrip("+~")))]
    if not pages and not {"--config-dir", "-cd"}.intersection(words):
        for word in words:
            _check_near(word.lstrip("+~"))
    return "\n\n".join(pages) or None


def _check_near(word: str) -> None:
    """ConfigError for a word that names a group, but no option and no key of it."""
    key, equals, option = word.partition("=")
    group, _, name = key.partition(".")
    if group not in groups() or key == "experiment":
        return
    if key == group and equals and option:
        raise ConfigError(f"{group} has no option '{option[:80]}'{did_you_mean(option[:80], options(group))}")
    if name:
        known = {f"{group}.{one}" for option in options(group) for one in _taken(group, option)}
        raise ConfigError(f"there is no key '{key[:80]}'{did_you_mean(key[:80], known)}")


def keys_of(verb: str) -> str:
    """A verb's own keys."""
    return _table("", schema()["verb"][verb])


def _page(word: str) -> str | None:
    group, equals, option = word.partition("=")
    if group in groups() and equals and option in options(group):
        keys = _table(f"{group}.", _taken(group, option))
        return help_text("train", [word]) + (f"\n\nwhat its keys take\n{keys}" if keys else "")
    if group in groups() and not equals:
        return _group(group)
    found = list(dict.fromkeys(_lines(group)))
    return "\n".join(found) if found else None


def _group(group: str) -> str:
    """The options of a group with a line each, and the keys that every option has."""
    listed = [f"  {name:<16} {first_comment(CONF / group / f'{name}.yaml')}" for name in options(group)]
    shared = _table(f"{group}.", schema()["group"].get(group, {}))
    more = f"python -m vggexp {group}=OPTION --help shows the keys of an option"
    parts = [f"{group}=OPTION", *listed, "", *(["keys of every option", shared, ""] if shared else []), more]
    return "\n".join(parts)


def _lines(key: str) -> Iterator[str]:
    """A line for each meaning of a key: it may be a verb's, or those of several options."""
    for verb, owned in schema()["verb"].items():
        if key in owned:
            yield _line(key if verb == "train" else f"{key} ({verb})", owned[key])
    group, _, name = key.partition(".")
    for option in options(group) if name and group in groups() else ():
        if name in (entries := _taken(group, option)):
            yield _line(key if name in schema()["group"].get(group, {}) or group == "trainer" else
                        f"{key} ({group}={option})", entries[name])  # fmt: skip


def _taken(group: str, option: str) -> Entries:
    """The keys of an option: its constructor's and its group's."""
    content = yaml.safe_load((CONF / group / f"{option}.yaml").read_text(encoding="utf-8")) or {}
    own = schema()["target"].get(str(content.get("_target_")), {})
    return {key: entry for key, entry in {**own, **schema()["group"].get(group, {})}.items() if key != "**"}


def _table(prefix: str, entries: Entries) -> str:
    return "\n".join(f"  {_line(f'{prefix}{key}', entry)}" for key, entry in sorted(entries.items()))


def _line(key: str, entry: Mapping[str, Any]) -> str:
    meaning = f"; {entry['meaning']}" if "meaning" in entry else ""
    return f"{key}: {wanted_in_range(entry)}{meaning}"
