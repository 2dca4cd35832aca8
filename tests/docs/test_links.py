"""Every local link of README, docs and studies leads to a file that exists, and to a heading that it has."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import ROOT

PAGES = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"),
                *(ROOT / "experiments").rglob("*.md")})  # fmt: skip


@pytest.fixture(scope="module")
def links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_links", ROOT / "docs" / "site" / "links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_that_links_are_found(links: ModuleType) -> None:
    count = sum(len(list(links.local_links(page.read_text(encoding="utf-8")))) for page in PAGES)
    assert len(PAGES) >= 30
    assert count >= 70


def test_every_link_leads_somewhere(links: ModuleType) -> None:
    assert [line for page in PAGES for line in links.broken(page, ROOT)] == []


def test_that_broken_links_would_be_found(links: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A head: `unet`\n\n    [code](no.md)\n\n`[x](no.md)` <img src='no.png'>\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#a-head-unet) [b](there.md#no) [c](gone.md) ![d](gone.webp)\n"
        "[e](#none) [f](mailto:x@y.z) [g](..)\n"
    )
    assert links.broken(page, tmp_path) == [
        "page.md: there.md#no: the page has no such heading",
        "page.md: gone.md: there is no such file",
        "page.md: gone.webp: there is no such file",
        "page.md: #none: the page has no such heading",
        "page.md: ..: lies outside the repository",
    ]
    assert links.broken(tmp_path / "there.md", tmp_path) == ["there.md: no.png: there is no such file"]
