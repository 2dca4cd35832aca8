"""The documentation site: it builds without network, with every key, and loads nothing from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, chapters
from vggexp.config.help import groups, verbs
from vggexp.config.schema.known import schema

BUILD = ROOT / "docs" / "site" / "build.py"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("zensical")
    folder = tmp_path_factory.mktemp("built")
    line = [sys.executable, str(BUILD), "--stage", str(folder / "stage"), "--output", str(folder / "site")]
    # A proxy that answers nothing stands for a machine without network.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(line, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_site_has_every_part(site: Path) -> None:
    reference = ("docs/reference/configuration/verbs", "docs/reference/api/head")
    papers = ("docs/papers/vgg", "docs/gallery", "experiments/freeze")
    for page in ("", "docs/data", "docs/tutorial", "docs/tutorial/pt", "docs/notebooks", *papers, *reference):
        assert list((site / page).glob("index.html")) or (site / f"{page}.html").exists(), page
    assert len(list((site / "docs" / "tutorial").rglob("*.html"))) >= 2 * len(chapters())


@pytest.mark.slow
def test_the_reference_has_every_verb_option_and_key(site: Path) -> None:
    pages = "\n".join(text_of(page) for page in (site / "docs" / "reference" / "configuration").rglob("*.html"))
    lacking = [verb for verb in verbs() if f"python -m vggexp {verb}" not in pages]
    lacking += [f"{group}={one}" for group, names in groups().items() if group != "hydra" for one in names
                if f"{group}={one}" not in pages]  # fmt: skip
    lacking += [key for owned in schema()["verb"].values() for key in owned if key not in pages]
    lacking += [key for owned in schema()["target"].values() for key in owned if key != "**" and key not in pages]
    assert lacking == []


@pytest.mark.slow
def test_the_api_reference_comes_from_the_docstrings(site: Path) -> None:
    page = text_of(site / "docs" / "reference" / "api" / "head.html")
    for name, said in (("vggexp.head.box", "dense layers that end in four sigmoid units"), ("UNet", "expanding path")):
        assert name in page
        assert said in page


@pytest.mark.slow
def test_pages_load_nothing_from_other_machines(site: Path) -> None:
    """Links may lead elsewhere; scripts, styles, fonts and pictures may not come from there."""
    from_there = (
        r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//|<link\b[^>]*\bhref=["']?https?:[^>]*"""
    )
    found = {tag for page in site.rglob("*.html") for tag in re.findall(from_there, page.read_text(encoding="utf-8"))}
    assert {tag for tag in found if "canonical" not in tag} == set()
    styles = (page.read_text(encoding="utf-8") for page in site.rglob("*.css"))
    assert not [text[:80] for text in styles if re.search(r"(?:url\(|@import)\s*['\"]?https?:", text)]
