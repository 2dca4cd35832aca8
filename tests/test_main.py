"""The command line: verbs, help, and one line for each mistake, without importing torch."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["taks=segmentation"], "there is no key 'taks'; did you mean 'task'?"),
        (["task=segmentatoin"], "task has no option 'segmentatoin'; did you mean 'segmentation'?"),
        (["task=segmentation", "head.hidden=8"], "there is no key 'head.hidden' under the chosen options"),
        (["trainer.gpu=4"], "there is no key 'trainer.gpu'; did you mean 'trainer.gpus'?"),
        (["logger=[csv,wandbb]"], "logger has no option 'wandbb'; did you mean 'wandb'?"),
        (["trian"], "there is no verb 'trian'; did you mean 'train'?"),
        (["train", "runs/x"], "'runs/x' is neither group=option nor key=value; see python -m vggexp train --help"),
        (["--multrun", "seed=1,2"], "there is no flag '--multrun'; did you mean '--multirun'?"),
        (["trainer.gpus=[4"], "cannot read 'trainer.gpus=[4'"),
        (["trainer.max_epochs=abc"], "trainer.max_epochs=abc is not a whole number of at least 1"),
        (["trainer.max_epochs=0"], "trainer.max_epochs=0 is not a whole number of at least 1"),
        (["optimizer.lr=-1"], "optimizer.lr=-1 is not a number of at least 0"),
        (["trainer.precision=b16-mixed"], "did you mean 'bf16-mixed'?"),
        (["trainer.gpus=99"], "trainer.gpus=99, and this machine has"),
        (["task=segmentation", "head=mlp"], "task=segmentation takes pixel_logits, and head=mlp gives class_logits"),
        (["loss=squared_box"], "loss scores box or box_per_class, and its head gives class_logits"),
        (["task=multitask", "loss=dice"], "loss=dice does not fit task=multitask"),
        (["task=multitask", "task.parts=[classification,localisation]"], "did you mean 'localization'?"),
        (
            ["data.provides=[label]", "task=segmentation"],
            "needs mask, and data=digits has only label; choose other data",
        ),
        (["data.image_size=[16,64]"], "give [height, width] of 32 or more"),
        (["task=segmentation", "head=deconvnet"], "give head.window=2 or less, or larger images"),
        (["data.provides=[box]", "task=localization", "head=box_per_class"], "task=localization needs label"),
        (["backbone.weights=imagnet"], "no such run folder or file; did you mean 'imagenet'?"),
        (["evaluate"], "checkpoint is missing; usage: python -m vggexp evaluate CHECKPOINT"),
        (["graft", "runs/a", "runs/b"], "output is missing; give output=..."),
        (["freeze=pattern"], "freeze.patterns is missing; give freeze.patterns=..."),
        (["evaluate", "runs/none"], "evaluate: there is no runs/none"),
        (["predict", "runs/none", "photos"], "predict: there is no runs/none"),
        (["--config-dir", "nowhere", "x"], "there is no verb 'x'"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], expected: str, vggexp: Vggexp) -> None:
    code, out, errors = vggexp(*words)
    assert code == 2
    assert out == ""
    assert errors.startswith("vggexp: error: ")
    assert errors.count("\n") == 1
    assert expected in errors


def test_debug_shows_the_traceback(vggexp: Vggexp) -> None:
    code, _, errors = vggexp("task=segmentation", "head=mlp", "debug=true")
    assert code == 2
    assert "Traceback" in errors


def test_help_names_every_verb_group_and_option(vggexp: Vggexp) -> None:
    from vggexp.config.help import groups, verbs

    code, out, _ = vggexp("--help")
    assert code == 0
    for word in [*verbs(), *groups(), *(option for options in groups().values() for option in options)]:
        assert word in out
    assert vggexp("-h")[1] == out


def test_help_of_a_verb_and_of_an_option(vggexp: Vggexp) -> None:
    assert "split: test" in vggexp("evaluate", "--help")[1]
    assert "_target_: vggexp.head.unet.UNet" in vggexp("head=unet", "--help")[1]


def test_every_verb_is_a_pair_of_files_with_a_description() -> None:
    from importlib.util import find_spec

    from vggexp.config.help import verbs

    assert len(verbs()) >= 6
    for verb, description in verbs().items():
        assert find_spec(f"vggexp.command.{verb}")
        assert description


@pytest.mark.parametrize("words", [["--help"], ["--cfg", "job"], ["taks=x"], ["task=segmentation", "head=mlp"]])
def test_no_torch_before_it_is_needed(words: list[str], tmp_path: Path) -> None:
    program = f"import sys; sys.argv = ['vggexp', *{words!r}]; from vggexp.__main__ import enter; enter(sys.argv[1:]); "
    program += "print('IMPORTED', sorted(m for m in ('torch', 'torchvision', 'wandb', 'numpy') if m in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.rstrip().endswith("IMPORTED []")


@pytest.mark.parametrize("words", [["--help"], ["--cfg", "job"], ["-m", "seed=1,2", "trainer.accumulate=0"]])
def test_a_reader_that_leaves_is_no_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "vggexp", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        started.stdout.close()
        _, errors = started.communicate()
    assert started.returncode == 141
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


def test_a_sweep_checks_every_job_and_names_the_wrong_ones(vggexp: Vggexp) -> None:
    code, _, errors = vggexp("-m", "task=segmentation", "head=mlp,linear")
    assert code == 2
    assert "head=mlp gives" in errors
    assert "head=linear gives" in errors


def test_a_folder_with_a_run_is_refused(vggexp: Vggexp, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "summary.json").write_text("{}")
    code, _, errors = vggexp("run.dir=old")
    assert code == 2
    assert "old holds a finished run; choose another run.dir, or set run.overwrite=true" in errors


def test_version(vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, out, errors = vggexp("--version")
    assert (code, errors) == (0, "")
    assert out.startswith("vggexp ")
