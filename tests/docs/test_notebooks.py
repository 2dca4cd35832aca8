"""The notebooks: small, without outputs, and they run from the first cell to the last, shortened."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LIMITS = ["trainer.limit_train_batches=1", "trainer.limit_val_batches=1", "trainer.limit_test_batches=1",
          "trainer.precision=32", "data.batch_size=8"]  # fmt: skip
SHORT = {
    "own_photos": {"EPOCHS": 1, "COUNT": 6, "MORE": LIMITS},
    "what_to_freeze": {"POLICIES": "none,backbone", "SEEDS": "1", "SOURCE_EPOCHS": 1, "EPOCHS": 1, "MORE": LIMITS},
}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def parameters(notebook: dict[str, Any]) -> dict[str, Any]:
    """The first code cell, which holds what one may change."""
    cells: list[dict[str, Any]] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert cells[0]["metadata"]["tags"] == ["parameters"]
    return cells[0]


def test_that_the_notebooks_are_found() -> None:
    assert {path.stem for path in NOTEBOOKS} == SHORT.keys()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_clean(path: Path) -> None:
    notebook = read(path)
    assert path.stat().st_size < 20_000
    named = {target.id for node in ast.parse("".join(parameters(notebook)["source"])).body
             if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
    assert SHORT[path.stem].keys() <= named
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            ast.parse("".join(cell["source"]))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path: Path, tmp_path: Path) -> None:
    """Its own words, with the values of ``SHORT`` in place of the first cell's."""
    pytest.importorskip("nbclient")
    notebook = read(path)
    changed = "".join(f"\n{name} = {value!r}" for name, value in SHORT[path.stem].items())
    parameters(notebook)["source"].append(changed)
    (tmp_path / "short.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = "import nbformat, nbclient; n = nbformat.read('short.ipynb', 4); nbclient.NotebookClient(n, timeout=900)" \
          ".execute(); nbformat.write(n, 'done.ipynb')"  # fmt: skip
    line = [sys.executable, "-c", run]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=990)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.dumps([cell.get("outputs") for cell in read(tmp_path / "done.ipynb")["cells"]])
    assert ("of the test photos are right" if path.stem == "own_photos" else "image/svg+xml") in said
