"""CONTRIBUTING.md and docs/extend.md, followed to the letter: their code blocks are written down and trained with."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = (
    "backbone=vgg11_bn", "backbone.width=0.05", "trainer.gpus=0", "trainer.max_epochs=1", "callback=[]", "run.dir=run",
)  # fmt: skip


def written(page: str, folder: Path) -> list[str]:
    """Write each code block whose first line is a comment with a path to that path; the paths."""
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    for name, text in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [name for name, _ in blocks]


def trained(folder: Path, path: Path | None, *words: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(path or "")}
    line = [sys.executable, "-m", "vggexp", *words, *WORDS]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (folder / "run" / "summary.json").exists()


@pytest.mark.slow
def test_a_new_head_and_a_new_data_set_inside(tmp_path: Path) -> None:
    for name in ("vggexp", "conf", "hydra_plugins"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert written("CONTRIBUTING.md", tmp_path) == [
        "vggexp/head/average.py", "conf/head/average.yaml", "vggexp/data/stripes.py", "conf/data/stripes.yaml",
    ]  # fmt: skip
    trained(tmp_path, tmp_path, "task=classification", "head=average", "data=stripes")


@pytest.mark.slow
def test_a_data_set_from_outside(tmp_path: Path) -> None:
    assert written("docs/extend.md", tmp_path) == ["mypackage/squares.py", "conf_of_mine/data/squares.yaml"]
    words = ("--config-dir", "conf_of_mine", "data=squares", "task=localization", "head.hidden=[8]", "head.pool=1")
    trained(tmp_path, ROOT, *words)


def test_every_file_that_the_text_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:vggexp|conf|tests|docs)/[\w/.]+\.\w+)`", text))
    new = {name for name in named if "average" in name or "stripes" in name}
    assert len(named - new) >= 12
    assert not [name for name in named - new if not (ROOT / name).exists()]
