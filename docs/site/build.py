"""Builds the documentation site: ``python docs/site/build.py``, which ``make docs`` runs (extra: docs).

The pages are copied with all that they link to into ``build/docs``, in the repository's own layout, so that a link
means the same on GitHub and here. Beside them come pages that are made anew each time: the configuration reference, the
API reference and the gallery. Zensical then writes ``site/``; in its strict mode a broken link ends the build.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import api  # noqa: E402
import gallery  # noqa: E402
import reference  # noqa: E402
from links import broken, local_links  # noqa: E402

NAV: dict[str, list[str]] = {
    "Start": ["README.md", "docs/demo.md", "docs/data.md", "docs/use.md", "docs/gallery.md"],
    "Course": ["docs/tutorial/"],
    "Curso em português": ["docs/tutorial/pt/"],
    "Notebooks": ["docs/notebooks/"],
    "Guides": [
        "docs/freezing.md", "docs/advise.md", "docs/network.md", "docs/detection.md", "docs/augment.md",
        "docs/sizes.md", "docs/report.md", "docs/sweep.md", "docs/wandb.md", "docs/loggers.md", "docs/scaling.md",
        "docs/speed.md", "docs/benchmark.md", "docs/reliability.md", "docs/extend.md",
    ],
    "Papers": ["docs/papers/"],
    "Studies": ["experiments/"],
    "Project": ["docs/architecture.md", "docs/glossary.md", "CONTRIBUTING.md"],
}  # fmt: skip
"""Sections and their pages; a folder stands for its pages. What no section names comes into "More"."""


def main() -> int:
    """Build the site, and return Zensical's exit code."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--stage", type=Path, default=ROOT / "build" / "docs", help="folder for the collected pages")
    parser.add_argument("--output", type=Path, default=ROOT / "site", help="folder for the site")
    arguments = parser.parse_args()
    stage, output = arguments.stage.resolve(), arguments.output.resolve()
    shutil.rmtree(stage, ignore_errors=True)
    pages = collect(stage / "pages")
    if lines := [line for page in pages for line in broken(page, stage / "pages")]:
        print("\n".join(lines), file=sys.stderr)
        return 1
    configure(stage)
    done = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=stage, check=False)
    if done.returncode == 0:
        unload(stage / "site")
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(stage / "site", output)
        print(f"{os.path.relpath(output / 'index.html')}: {len(pages)} pages")
    return done.returncode


def collect(folder: Path) -> list[Path]:
    """Copy the pages with what they link to, make the others, and return all of them."""
    waiting = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    waiting += sorted((ROOT / "experiments").rglob("*.md"))
    copied: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source in copied or not source.is_file() or not source.is_relative_to(ROOT):
            continue
        copied.add(source)
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        if source.suffix == ".md":
            names = (link.partition("#")[0] for link in local_links(source.read_text(encoding="utf-8")))
            waiting += [(source.parent / name).resolve() for name in names if name]
    made = folder / "docs" / "reference"
    reference.write(made / "configuration")
    api.write(made / "api", ROOT / "vggexp")
    gallery.write(folder / "docs" / "gallery.md", [page for page in ordered(folder) if "reference" not in page.parts])
    return ordered(folder)


def ordered(folder: Path) -> list[Path]:
    """All pages, those of the sections first, in their order."""
    named = [page for names in NAV.values() for name in names for page in pages_of(folder, name)]
    return list(dict.fromkeys([*named, *sorted(folder.rglob("*.md"))]))


def pages_of(folder: Path, name: str) -> list[Path]:
    """The page of this name, or the pages of this folder with its README first; of ``experiments/`` its READMEs."""
    if not name.endswith("/"):
        return [folder / name] if (folder / name).exists() else []
    pattern = "*/README.md" if name == "experiments/" else "*.md"
    return sorted((folder / name).glob(pattern), key=lambda page: (page.name != "README.md", page))


def navigation(folder: Path) -> dict[str, list[str]]:
    """The sections with the paths of their pages."""
    sections = {title: [page for name in names for page in pages_of(folder, name)] for title, names in NAV.items()}
    named = {page for pages in sections.values() for page in pages}
    sections["More"] = [page for page in ordered(folder) if page not in named and "reference" not in page.parts]
    for title in ("configuration", "api"):
        sections[title.capitalize() if title != "api" else "API"] = pages_of(folder, f"docs/reference/{title}/")
    return {title: [str(page.relative_to(folder)) for page in pages] for title, pages in sections.items() if pages}


def configure(stage: Path) -> None:
    """Write Zensical's configuration: ours, the folders and the navigation."""
    text = (Path(__file__).with_name("zensical.toml")).read_text(encoding="utf-8")
    rows = [f"  {{ {json.dumps(title, ensure_ascii=False)} = {json.dumps(names)} }},"
            for title, names in navigation(stage / "pages").items()]  # fmt: skip
    folders = ['docs_dir = "pages"', 'site_dir = "site"', "nav = [", *rows, "]"]
    shutil.copyfile(Path(__file__).with_name("extra.css"), stage / "pages" / "extra.css")
    text = text.replace("[project]\n", "[project]\n" + "\n".join(folders) + "\n", 1)
    paths = f"[project.plugins.mkdocstrings.handlers.python]\npaths = [{json.dumps(str(ROOT))}]\n\n"
    marker = "[project.plugins.mkdocstrings.handlers.python.options]"
    (stage / "zensical.toml").write_text(text.replace(marker, paths + marker), encoding="utf-8")


def unload(site: Path) -> None:
    """Take out the script that each page would load from elsewhere; it serves the search from disk in old browsers."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"<script\b[^>]*\bsrc=\"?https?:[^>]*></script>", "", text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
