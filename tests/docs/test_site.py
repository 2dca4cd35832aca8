"""The documentation site: it builds without network, every key is in its reference, nothing is loaded from elsewhere."""

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
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")}
    done = subprocess.run(line, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_site_has_every_part(site: Path) -> None:
    for page in ("", "docs/data", "docs/tutorial", "docs/tutorial/pt", "docs/notebooks", "docs/papers/vgg", "docs/gallery",
                 "docs/reference/configuration/verbs", "docs/reference/api/head", "experiments/freeze"):  # fmt: skip
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
    assert "first and last stages that train" not in pages  # a sentence that no YAML has


@pytest.mark.slow
def test_the_api_reference_comes_from_the_docstrings(site: Path) -> None:
    page = text_of(next((site / "docs" / "reference" / "api").rglob("*head*")).rglob("*.html").__next__()
                   if (site / "docs/reference/api/head").is_dir() else site / "docs/reference/api/head.html")  # fmt: skip
    for name, said in (("vggexp.head.box", "dense layers that end in four sigmoid units"), ("UNet", "expanding path")):
        assert name in page
        assert said in page


@pytest.mark.slow
def test_pages_load_nothing_from_other_machines(site: Path) -> None:
    """Links may lead elsewhere; scripts, styles, fonts and pictures may not come from there."""
    loads = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(https?:)?//|<link\b[^>]*(?:stylesheet|preconnect|preload)[^>]*href=["']?(?:https?:)?//|@import[^;]*https?://""")  # fmt: skip  # noqa: E501
    assert [page for page in site.rglob("*.html") if loads.search(page.read_text(encoding="utf-8"))] == []
    styles = [page for page in site.rglob("*.css") if re.search(r"url\(['\"]?https?://", page.read_text("utf-8"))]
    assert styles == []
