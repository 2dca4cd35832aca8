"""The configuration reference: a page for the verbs and one for each group, made from ``conf/`` and ``keys.json``.

The YAML gives the options, their first comments and defaults; ``keys.json`` gives types, ranges and meanings.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from vggexp.config.help import CONF, EVALUATIONS, first_comment, groups, options, synopsis, verbs
from vggexp.config.schema.known import schema, wanted_in_range

Entries = Mapping[str, Mapping[str, Any]]
_NO_CONSTRUCTOR = ("experiment", "augment")
"""Groups whose options set keys of other groups."""


def write(folder: Path) -> list[str]:
    """Write the pages, and return their names in the order in which to show them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name in (*groups(), EVALUATIONS.name) if name != "hydra"]
    pages = {"README": _overview(names), "verbs": _verbs(), **{name: _group(name) for name in names}}
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return [f"{name}.md" for name in pages]


def _overview(names: list[str]) -> str:
    rows = [f"| [`{name}`]({name}.md) | {', '.join(f'`{one}`' for one in options(name))} |" for name in names]
    return "\n".join([
        "# Configuration", "",
        "Every key that the command line and YAML take, made from the YAML files of `conf/` and the types of the",
        "constructors. `python -m vggexp KEY --help` prints the same facts. The keys of `train` and of the other",
        "verbs: [verbs](verbs.md).", "",
        "| group | options |", "|---|---|", *rows, "",
    ])  # fmt: skip


def _verbs() -> str:
    parts = ["# Verbs", "", "`python -m vggexp VERB ...`; without a verb: train.", ""]
    for verb, text in verbs().items():
        content = _content(CONF / f"{verb}.yaml")
        parts += [f"## {verb}", "", _prose(text), "", f"    python -m vggexp {synopsis(verb)}", ""]
        parts += _table("", schema()["verb"][verb], content)
    return "\n".join(parts)


def _group(group: str) -> str:
    parts = [f"# {group}", ""]
    if shared := schema()["group"].get(group, {}):
        content = _content(CONF / "train.yaml").get(group, {})
        parts += ["## Keys of every option", "", *_table(f"{group}.", shared, content)]
    for option in options(group):
        path = CONF / group / f"{option}.yaml"
        parts += [f"## {group}={option}", "", *_comments(path), ""]
        content = _content(path)
        if group in _NO_CONSTRUCTOR:
            parts += ["```yaml", path.read_text(encoding="utf-8").strip(), "```", ""]
            continue
        own = schema()["target"].get(str(content.get("_target_")), {})
        parts += _table(f"{group}.", {key: entry for key, entry in own.items() if key != "**"}, content)
        if "**" in own:
            parts += ["Any other argument of its constructor may be added.", ""]
    return "\n".join(parts)


def _table(prefix: str, entries: Entries, content: Mapping[str, Any]) -> list[str]:
    if not entries:
        return ["It has no keys of its own.", ""]
    rows = [_row(f"{prefix}{key}", _default(key, content), entry) for key, entry in sorted(entries.items())]
    return ["| key | default | takes | meaning |", "|---|---|---|---|", *rows, ""]


def _row(key: str, default: str, entry: Mapping[str, Any]) -> str:
    return f"| `{key}` | {default} | {_cell(wanted_in_range(entry))} | {_prose(entry.get('meaning', ''))} |"


def _default(key: str, content: Mapping[str, Any]) -> str:
    value: Any = content
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return ""
        value = value[part]
    if value == "???":
        return "required"
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True).strip()
    text = text.removesuffix("...").strip()
    return f"`{_cell(text)}`" if len(text) <= 60 else "see the YAML"


def _content(path: Path) -> dict[str, Any]:
    """A YAML file's content, over that of the files of its folder which its defaults name."""
    own = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    bases = [name for name in own.get("defaults", ()) if isinstance(name, str) and name != "_self_"]
    taken = [_content(file) for name in bases if (file := path.with_name(f"{name}.yaml")).exists()]
    return {key: value for each in (*taken, own) for key, value in each.items() if key != "defaults"}


def _comments(path: Path) -> Iterator[str]:
    """The comment with which a file opens; its commands as code."""
    yield _prose(first_comment(path))
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        text = line.removeprefix("#").strip()
        if text != first_comment(path) and "@package" not in text:
            yield "" if not text else f"\n    {text}\n" if text.startswith("python -m") else _prose(text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    """A comment as Markdown: what looks like markup is code or escaped."""
    return _cell(re.sub(r"([\[\]<>*_])", r"\\\1", text))
