"""``--help``: verbs, groups, options and keys, read from the ``conf/`` folder, so the help is always up to date."""

import os
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The folder of YAML groups: inside the package when installed, beside it in a checkout."""

MAIN_ARGUMENTS = {
    "demo": ("checkpoint",),
    "inspect": ("data.root",),
    "evaluate": ("checkpoint",),
    "benchmark": ("work",),
    "explain": ("checkpoint",),
    "export": ("checkpoint",),
    "predict": ("checkpoint",),
    "report": ("input",),
    "archive": ("input",),
    "serve": ("input",),
    "resume": ("checkpoint",),
    "rerun": ("checkpoint",),
    "summary": ("checkpoint",),
    "verify": ("checkpoint",),
}
"""The keys that the bare words after a verb set."""

TAKES_A_LIST = {
    "advise": "sources", "compare": "checkpoints", "explain": "input", "graft": "checkpoints", "predict": "input",
    "soup": "checkpoints",
}  # fmt: skip
"""The list key that all further bare words of a verb set."""

TRAINS = ("train", "advise")
"""The verbs that compose a whole training."""

EXAMPLES = """\
examples
  python -m vggexp                                           classify the embedded digits
  python -m vggexp task=segmentation trainer.gpus=4          segmentation, on four GPUs
  python -m vggexp task=segmentation freeze=gradual          unfreeze the network stage by stage
  python -m vggexp -m freeze=none,backbone seed=1,2,3        a sweep: six runs; the same command continues it
  python -m vggexp task=localization data=pets data.root=~/data backbone.weights=imagenet freeze=backbone
  python -m vggexp evaluate runs/x                           score a run's best checkpoint
  python -m vggexp predict runs/x photos/ output=out/        write a JSON line, mask and picture for each photo
  python -m vggexp export runs/x format=onnx                 write a file that runs without vggexp
  python -m vggexp summary backbone=vgg16                    list layers, parameters and FLOPs
  python -m vggexp benchmark fine_tune                       time vggexp against a plain PyTorch or Lightning script

more
  VERB --help            show the keys of a verb     GROUP=OPTION --help    show the keys of an option
  GROUP --help           show a group's options      GROUP.KEY --help       type, range and meaning of a key
  --cfg job              print the composed config without running it
  -m                     run a sweep over comma-separated values (Hydra's multirun); docs/sweep.md
  hydra/launcher=NAME    how a sweep runs its jobs: basic (one by one), joblib, submitit_local, submitit_slurm
  hydra/sweeper=optuna   let Optuna choose the values of a sweep: optimizer.lr='tag(log,interval(1e-4,1e-2))'
  conf/sweep/*.yaml      sweep definitions for W&B's agents: wandb sweep FILE, then wandb agent ID (docs/wandb.md)
  --config-dir FOLDER    add groups and options of your own"""


def verbs() -> dict[str, str]:
    """Every verb, with its one-line description: the first comment of its root config."""
    names = sorted(CONF.glob("*.yaml"), key=lambda path: (path.stem != "train", path.stem))
    return {path.stem: first_comment(path) for path in names}


SWEEPS = CONF / "sweep"
"""Definitions for ``wandb sweep``: a folder beside the groups that is not a group."""

EVALUATIONS = CONF / "evaluation"
"""A group of evaluate and predict."""


@cache
def groups() -> dict[str, list[str]]:
    """Every group of train, with the names of its options. Read once: a command asks dozens of times."""
    folders = sorted(folder for folder in CONF.iterdir() if any(folder.glob("*.yaml")))
    return {folder.name: options(folder.name) for folder in folders if folder not in (SWEEPS, EVALUATIONS)}


def options(group: str) -> list[str]:
    """The names of a group's options, of whatever verb."""
    return sorted(path.stem for path in (CONF / group).glob("[!_]*.yaml"))


def formats() -> list[str]:
    """The file formats that ``export`` writes: the modules of ``vggexp/deploy/format``."""
    return sorted(path.stem for path in (_PACKAGE / "deploy" / "format").glob("[!_]*.py"))


def first_comment(path: Path) -> str:
    """The first comment line of a YAML file that is not a ``# @package`` directive; '' if there is none.

    >>> first_comment(CONF / "freeze" / "none.yaml")
    'Everything trains.'
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and "@package" not in line:
            return line.removeprefix("#").strip()
    return ""


def help_text(verb: str, words: Sequence[str] = ()) -> str:
    """The help page: of a named option if there is one, of a verb, or of the whole program."""
    files = [CONF / group / f"{option}.yaml" for group, _, option in (word.partition("=") for word in words)]
    # Path's own is_file raises on names that are too long.
    if files := [path for path in files if os.path.isfile(path) and path.parent != CONF]:  # noqa: PTH113
        return "\n\n".join(_page(path, f"{path.parent.name}={path.stem}") for path in files)
    if verb != "train":
        return _page(CONF / f"{verb}.yaml", f"python -m vggexp {synopsis(verb)} [KEY=VALUE ...]")
    return "\n\n".join((_OPENING, _verb_list(), _group_list(), _root_keys(), EXAMPLES))


_OPENING = """\
vggexp: experiments on VGG networks, described in YAML, run by Lightning

usage: python -m vggexp [VERB] [ARGUMENT] [GROUP=OPTION ...] [KEY=VALUE ...]"""


def synopsis(verb: str) -> str:
    """A verb with its main arguments.

    >>> synopsis("predict")
    'predict CHECKPOINT INPUT...'
    """
    several = [f"{TAKES_A_LIST[verb].upper()}..."] if verb in TAKES_A_LIST else []
    return " ".join([verb, *(name.rpartition(".")[2].upper() for name in MAIN_ARGUMENTS.get(verb, ())), *several])


def _page(path: Path, title: str) -> str:
    return f"{title}\n\n" + "\n".join(f"  {line}" for line in _with_bases(path)).rstrip()


def _with_bases(path: Path) -> list[str]:
    """The lines of an option's file, and those of the files that its line of defaults names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    named = re.match(r"defaults: \[(.*)\]", next((line for line in lines if line.startswith("defaults: [")), ""))
    bases = [path.with_name(f"{name}.yaml") for name in (named[1].split(", ") if named else ()) if name != "_self_"]
    own = [line for line in lines if not line.startswith("defaults: [")]
    return [*own, *(line for base in bases for line in ["", *_with_bases(base)])]


def _verb_list() -> str:
    lines = [f"  {name:<12} {text}" for name, text in verbs().items()]
    return "\n".join(["verbs (train if none is named)", *lines])


def _group_list() -> str:
    lines = [_group_line(name, options) for name, options in groups().items() if options]
    return "\n".join(["groups of train, and their options", *lines])


def _group_line(name: str, options: Sequence[str]) -> str:
    """A group with its options, in lines of at most 120 characters."""
    indent = " " * 15
    return textwrap.fill(
        "  ".join(options), 120, initial_indent=f"  {name:<12} ", subsequent_indent=indent, break_on_hyphens=False
    )


def _root_keys() -> str:
    text = (CONF / "train.yaml").read_text(encoding="utf-8").split("\n\n", 1)[1]
    trainer = (CONF / "trainer" / "default.yaml").read_text(encoding="utf-8").splitlines()[2:]
    lines = [*text.strip().splitlines(), "", "trainer:", *(f"  {line}" for line in trainer)]
    return "\n".join(["keys of train", *(f"  {line}" if line else "" for line in lines)])
