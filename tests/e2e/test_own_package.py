"""A package beside the current folder, through the console script, whose own folder Python searches first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys\nfrom vggexp.__main__ import main\nsys.exit(main())\n"
MODULE = """
import torch
from vggexp.types import DataInfo

class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 16

    def __getitem__(self, index):
        image = torch.full((3, 32, 32), index, dtype=torch.uint8)
        return {"image": image, "index": torch.tensor(index), "label": torch.tensor(index % 2)}

class MyData:
    info = DataInfo(("even", "odd"), ())

    def __init__(self, train_transform, eval_transform):
        pass

    def split(self, name, needs, *, augment=False):
        return Rows()
"""
YAML = """
_target_: mypackage.mine.MyData
provides: [label]
image_size: [32, 32]
batch_size: 4
workers: 1
train_transform: []
eval_transform: []
"""


def console_script(*words: str) -> subprocess.CompletedProcess[str]:
    """What pip installs as ``vggexp``, run from a folder of its own."""
    Path("bin").mkdir()
    Path("bin/vggexp").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "bin/vggexp", *words], env=environment, capture_output=True, text=True, timeout=280
    )


def test_the_console_script_finds_a_module_beside_the_current_folder() -> None:
    """Of two callbacks the one that is there is found, and the other is named; no torch is imported for that."""
    Path("mine.py").write_text("raise SystemExit('nobody imports it')")
    done = console_script("+callback.a._target_=mine.A", "+callback.b._target_=yours.B")
    assert "there is no module 'yours', which _target_: yours.B names" in done.stderr
    assert done.returncode == 2


@pytest.mark.slow
def test_processes_that_the_program_starts_find_it_too() -> None:
    """Two that share the run, and each one's own that load its data."""
    Path("mypackage").mkdir()
    Path("mypackage/mine.py").write_text(MODULE)
    Path("conf_of_mine/data").mkdir(parents=True)
    Path("conf_of_mine/data/mine.yaml").write_text(YAML)
    words = ("backbone=vgg11", "backbone.width=0.05", "head=linear", "trainer.gpus=0", "trainer.processes=2",
             "trainer.max_epochs=1", "callback=[]", "run.dir=run")  # fmt: skip
    done = console_script("--config-dir", "conf_of_mine", "data=mine", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert Path("run/summary.json").exists()
