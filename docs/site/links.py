"""The local links and the anchors of a Markdown page, as GitHub reads them."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_FENCED = re.compile(r"^ *(```|~~~).*?^ *\1", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?:(?: {4}|\t).*\n?|\n)+")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(?<!\\)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_SOURCE = re.compile(r"""<(?:img|a)\b[^>]*?\b(?:src|href)=["']([^"']+)["']""")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def without_code(text: str) -> str:
    """The text without its blocks and spans of code, whose brackets are no links."""
    return _CODE.sub("", _INDENTED.sub("\n", _FENCED.sub("", text)))


def local_links(text: str) -> Iterator[str]:
    """The targets of links and images that are no address on the net: ``page.md``, ``page.md#part``, ``#part``."""
    plain = without_code(text)
    for found in (*_LINK.findall(plain), *_SOURCE.findall(plain)):
        if not re.match(r"[a-z][a-z0-9+.-]*:", found, re.IGNORECASE):
            yield found


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings.

    >>> sorted(anchors("## Before training: `advise`"))
    ['before-training-advise']
    """
    seen: Counter[str] = Counter()
    found = set(re.findall(r"<a (?:id|name)=[\"']([^\"']+)", text))
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: Path, root: Path) -> list[str]:
    """A line for each local link of a page whose file or anchor does not exist, or lies outside ``root``."""
    lines = []
    for link in local_links(page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            lines.append(f"{page.relative_to(root)}: {link}: there is no such file")
        elif not target.is_relative_to(root):
            lines.append(f"{page.relative_to(root)}: {link}: lies outside the repository")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            lines.append(f"{page.relative_to(root)}: {link}: the page has no such heading")
    return lines
