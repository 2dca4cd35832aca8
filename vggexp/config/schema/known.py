"""Reads ``keys.json``, and says in words what a key takes."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]

NAMES = {
    "null": "null",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "text": "text",
    "list": "a list",
    "mapping": "a mapping",
    "any": "any value",
}
"""By type: its name in a message."""


@cache
def schema() -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """By verb, by group and by constructor: each key with its types, range and meaning."""
    content = Path(__file__).with_name("keys.json").read_text(encoding="utf-8")
    known: dict[str, dict[str, dict[str, dict[str, Any]]]] = json.loads(content)
    return known


def wanted(entry: Entry) -> str:
    """What a key takes, without its range.

    >>> wanted({"types": ["list", "null"], "item": {"types": ["int"]}})
    'a list of whole numbers or null'
    >>> wanted({"types": ["word"], "words": ["a", "b"]})
    'a or b'
    """
    return " or ".join(_kind(kind, entry) for kind in entry["types"])


def wanted_in_range(entry: Entry) -> str:
    """What a key takes, with its range.

    >>> wanted_in_range({"types": ["float"], "minimum": 0, "exclusiveMaximum": 1})
    'a number, at least 0, below 1'
    """
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = (f"{word} {entry[bound]}" for bound, word in words.items() if bound in entry)
    return ", ".join([wanted(entry) or NAMES["any"], *bounds])


def _kind(kind: str, entry: Entry) -> str:
    if kind == "word":
        return " or ".join(map(str, entry["words"]))
    if kind == "list":
        plural = {"int": "whole numbers", "float": "numbers"}.get((*entry["item"]["types"], "")[0])
        return f"a list of {plural}" if plural else NAMES[kind]
    return NAMES[kind]
