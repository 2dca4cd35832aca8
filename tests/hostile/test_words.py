"""Command lines that cannot be."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.conftest import Refused

QUICK = [  # answered before Hydra composes
    (["=1"], "'=1' has no key before '='"),
    (["+=1"], "'+=1' has no key before '='"),
    (["="], "'=' has no key before '='"),
    (["optimizer"], "there is no verb 'optimizer'"),
    (["--nonsense"], "there is no flag '--nonsense'"),
    (["-x"], "there is no flag '-x'"),
    (["--cfg"], "--cfg is followed by nothing"),
    (["--cfg", "foo"], "--cfg foo: it prints a part of the config; choose from: all, hydra, job"),
    (["--config-dir"], "--config-dir is followed by nothing"),
    (["--resolve"], "--resolve goes with --cfg job"),
    (["-cn"], "-cn is followed by nothing"),
    (["evaluate", "a", "b"], "'b' is neither group=option nor key=value"),
    (["--info", "foo"], "there is no verb 'foo'"),
    (["--cfg", "job", "-m", "seed=1,2"], "-m runs a sweep, and --cfg and --info print one config"),
    (["--help=head"], "--help takes no value; write --help head, in two words"),
    (["-m=1"], "-m takes no value"),
    (["--cfg=foo"], "--cfg foo: it prints a part of the config; choose from: all, hydra, job"),
    (["--help", "evalute"], "there is no verb 'evalute'; did you mean 'evaluate'?"),
    (["-m", "evalute", "a"], "there is no verb 'evalute'; did you mean 'evaluate'?"),
    (["task="], "task=null is no option"),
    (["data=null"], "data=null is no option; choose from: auto"),
    (["~optimizer"], "~optimizer: a training needs optimizer"),
    (["~optimizer.lr"], "~optimizer.lr: a training needs optimizer.lr"),
    (["evaluate", "a", "task=segmentation"], "task=segmentation cannot change what was recorded"),
]
UNREADABLE = [
    ("optimizer.lr='", "cannot read 'optimizer.lr=''"),
    ('optimizer.lr="x', "cannot read 'optimizer.lr=\"x'"),
    ("optimizer.lr=${", "cannot read 'optimizer.lr=${'"),
    ("freeze.patterns=[", "cannot read 'freeze.patterns=['"),
    ("run.dir=a\0b", "cannot read 'run.dir=a\0b'"),
    ("run.name=a\nb", "cannot read 'run.name=a b'"),
    ("run.name=\u202e", "cannot read"),
    ("+experiment=pets", "experiment is chosen already, so nothing can be added: leave the + out, experiment=pets"),
    ("seed=1,2", "seed=1,2 holds several values: add -m"),
    ("task=../x", "task has no option '../x'"),
    ("task=/etc/passwd", "task has no option '/etc/passwd'"),
    ("experiment=../conf/train", "experiment has no option"),
    ("callback=5", "callback=5: a group takes the name of an option"),
    ("logger=true", "logger=true: a group takes the name of an option"),
    ("hydra=null", "hydra=null: a group takes the name of an option"),
    ("experiment=null", "experiment=null: a group takes the name of an option"),
    ("callback={a: 1}", "callback takes the name of an option, or a list of names"),
    ("a=1", "there is no key 'a'"),
    ("hydra.mode=FOO", "hydra.mode=FOO"),
    ("head@x=unet", "there is no key 'head@x'"),
    ("data.split=[1,2]", "there is no key 'data.split'"),
]
COMPOSED = [
    ("optimizer.lr=", "optimizer.lr= is not a number of at least 0"),
    ("optimizer.lr=[1,2]", "optimizer.lr=[1, 2] is not a number"),
    ("optimizer.lr={a: 1}", "optimizer.lr={'a': 1} is not a number"),
    ("optimizer.lr=${nothing}", "Interpolation key 'nothing' not found"),
    ("optimizer.lr=${optimizer.lr}", "Recursive interpolation detected"),
    ("seed=${foo:1}", "Unsupported interpolation type foo"),
    ("run.name=${oc.env:WANDB_API_KEY}", "the environment's WANDB_API_KEY looks like a secret"),
    ("run.name=${oc.env:NO_SUCH_VARIABLE}", "the environment has no variable NO_SUCH_VARIABLE"),
    ("seed=4294967296", "seed=4294967296 is more than 4294967295"),
    ("trainer.max_epochs=1e3", "trainer.max_epochs=1000.0 is not a whole number"),
    ("run.dir=" + "x" * 300, "is no name of a folder; give one of 255 bytes or less"),
    ("task=[]", "task takes one option"),
    ("head=[linear]", "head takes one option"),
    ("data.image_size=[]", "data.image_size"),
    ("task.takes=null", "task.takes=null is not a list"),
    ("data.provides=[foo]", "data.provides=['foo'] must be a list of targets"),
    ("data.cache={a: 1}", "data.cache={'a': 1} is not none or memory or disk"),
    ("run.dir=''", "run.dir is empty"),
    ("run.dir=/", "run.dir=/ is the root of the disk"),
    ("run.name=''", "run.name is empty"),
    ("run.dir=1", "run.dir=1 is a number, not text"),
    ("backbone.weights=" + "x" * 5000, "no such run folder or file"),
    ("loss.targets=[1,2]", "loss.targets=[1, 2]: 1 is not text"),
    (
        "data.train_transform=[RandomHorizontalFlip,null]",
        "data.train_transform=['RandomHorizontalFlip', None]: null is not",
    ),
    ("task=multitask task.parts=null", "task.parts=null is not"),
    ("scheduler=multistep scheduler.at=[5,10]", "scheduler.at=5 is"),
]
VERBS = [
    (["evaluate", "a.txt", "split=foo"], "split=foo is not known"),
    (["evaluate", "a.txt", "trust=5"], "trust=5 is not a list"),
    (["evaluate", "a.txt", "evaluation=foo"], "evaluation has no option 'foo'"),
    (["evaluate", "a.txt", "output=."], "output=. is a folder; give the name of a file in it"),
    (["inspect", "data.root=.", "output=."], "output=. is a folder"),
    (["predict", "a.txt", "a.txt", "output=o", "batch_size=0"], "batch_size=0 is not a whole number of at least 1"),
    (["export", "a.txt", "format=[]"], "format is empty"),
    (["demo", "a.txt", "port=99999"], "port=99999 is more than 65535"),
    (["report", "input=[a,b]"], "input=['a', 'b'] is not text"),
    (["report", "watch=foo"], "watch=foo is not a number or null"),
    (["inspect", "data.root=.", "samples=-1"], "samples=-1 is not a whole number of at least 0"),
    (["benchmark", "fine_tune", "steps=0"], "steps=0 is not a whole number of at least 1"),
    (["benchmark", "fine_tune", "width=-1"], "width=-1 is not a number of at least 0"),
    (["workspace", "project=5"], "project=5 is a number, not text"),
    (["resume", "x" * 5000], "resume: there is no xxx"),
    (["rerun", "nothing"], "rerun: there is no nothing"),
    (["rerun", "a.txt"], "rerun: a.txt is a file; give the run's folder"),
    (["graft", "checkpoints=a.txt", "output=o"], "checkpoints=a.txt is one run; give two or more: checkpoints=[a,b]"),
    (["summary", "data.image_size=[8,8]"], "data.image_size=[8, 8]: VGG halves the image five times"),
    (["summary", "callback=[]"], "this verb takes no callback"),
    (["inspect", "data.root=.", "task=detection"], "this verb takes no task"),
    (["hydra.sweeper.params.seed=1"], "Hydra cannot take these words, perhaps those of hydra.*: AssertionError"),
    (["export", "a.txt", "output="], "output is empty; give a path, or leave it out"),
    (["benchmark", "data", "photo_size=[8,8]"], "photo_size=[8, 8]: give [height, width] of 32 or more"),
    (["benchmark", "data", "photo_size=[64,64]", "root=."], "photo_size=[64, 64] is the size of generated photos"),
    (["benchmark", "work=[]"], "work=[] names none; choose from: all, data"),
    (
        ["-m", "optimizer.lr=interval(0.1,1)"],
        "interval(...) is for Optuna, which draws from it: add hydra/sweeper=optuna",
    ),
    (["-m", "seed=1,2", "hydra.sweeper.max_batch_size=0"], "Hydra cannot take these words"),
]


@pytest.mark.parametrize(("words", "message"), QUICK, ids=lambda case: " ".join(case) if isinstance(case, list) else "")
def test_words_that_cannot_be(words: list[str], message: str, refused: Refused) -> None:
    refused(words, 2, message)


@pytest.mark.parametrize(("word", "message"), [*UNREADABLE, *COMPOSED], ids=lambda case: case[:30].replace("\0", "0"))
def test_values_that_cannot_be(word: str, message: str, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "sesame")
    words = word.split(" ") if word.startswith(("task=multi", "scheduler")) else [word]
    refused(words, 2, message)


@pytest.mark.parametrize(("words", "message"), VERBS, ids=lambda case: " ".join(case) if isinstance(case, list) else "")
def test_verbs(words: list[str], message: str, refused: Refused) -> None:
    Path("a.txt").write_text("x")
    refused(words, 2, message)


@pytest.mark.parametrize(
    "words", [["seed=,"], ["seed=1,x"], ["task=foo", "seed=1,2"], ["seed=range(0)"], ["task=glob(x*)"]]
)
def test_sweeps(words: list[str], vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = vggexp("-m", *words, "trainer.max_epochs=0")
    assert code == 2
    assert "vggexp: error: " in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("words", [["=1"], ["--cfg", "x"], ["evaluate", "x.ckpt"]])
def test_as_a_process(words: list[str]) -> None:
    """The same by the real command: its exit code, and nothing but the line."""
    shown = subprocess.run([sys.executable, "-m", "vggexp", *words], capture_output=True, text=True, check=False)
    assert shown.returncode == 2
    assert shown.stderr.startswith("vggexp: error: ")
    assert shown.stderr.count("\n") == 1
