"""The door: ``python -m vggexp [verb] [argument] [group=option] [key=value]`` to a composed, checked config.

Torch takes seconds to import, so this module and what it imports never do: ``--help``, ``--cfg job`` and every
mistake that the config alone can show are answered first. A verb is a pair of files: its root config
``conf/<verb>.yaml`` and its program ``vggexp/command/<verb>.py`` with a function ``run(config)``.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from vggexp.config.help import MAIN_ARGUMENTS, TAKES_A_LIST, help_text, verbs
from vggexp.distributed.processes import import_from_here
from vggexp.errors import ConfigError, UserError, did_you_mean, one_line

_SIGPIPE = 141
"""The exit code that shells give a program whose reader has left: 128 + the signal's number."""


def main() -> None:
    """The console script ``vggexp``."""
    import_from_here()
    try:
        code = enter(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would say so at its end
        code = _SIGPIPE
    sys.exit(code)


def enter(words: Sequence[str]) -> int:
    """Do what the command line says and return its exit code: 0, 1 (data, or a bug), 2 (config), 130 (Ctrl-C)."""
    # With this set, Hydra hands its exceptions on instead of printing them and leaving.
    os.environ["HYDRA_FULL_ERROR"] = "1"

    def open_door() -> int:
        verb, rest = split_verb(words)
        if "--help" in rest or "-h" in rest:
            print(help_text(verb, rest))
            return 0
        from vggexp.sweep.command_line import start  # Hydra takes a quarter of a second: --help does without

        return start(verb, rest, debug)

    debug = "debug=true" in words
    try:
        return guarded(open_door, debug)
    except KeyboardInterrupt:
        print("vggexp: interrupted; what was written before stays", file=sys.stderr)
        return 130


def guarded(action: Callable[[], int], debug: bool = False) -> int:
    """The action's exit code; a mistake of the user's is printed as one line (with its traceback, if debug)."""
    try:
        return action()
    except UserError as error:
        if debug:
            traceback.print_exc()
        print(f"vggexp: error: {one_line(error)}", file=sys.stderr)
        return error.code


def split_verb(words: Sequence[str]) -> tuple[str, list[str]]:
    """The verb (train, if none is named) and Hydra's words, the bare ones made into ``key=value``.

    >>> split_verb(["evaluate", "runs/x", "split=val"])
    ('evaluate', ["checkpoint='runs/x'", 'split=val'])
    >>> split_verb(["task=segmentation", "trainer.gpus=4"])
    ('train', ['task=segmentation', 'trainer.gpus=4'])
    >>> split_verb(["seed=1,2", "-m"])
    ('train', ['-m', 'seed=1,2'])
    """
    rest, verb = list(words), "train"
    if rest and _is_bare(rest[0]):
        verb = rest.pop(0)
        if verb not in verbs():
            raise ConfigError(f"there is no verb '{verb}'{did_you_mean(verb, verbs())}")
    flags: list[str] = []  # Hydra takes its flags only before the overrides
    settings: list[str] = []
    bare: list[str] = []
    for word in rest:
        if flags and flags[-1] in FLAGS_WITH_VALUE:
            flags.append(word)
        elif word.startswith("-"):
            flags.append(_known(word))
        else:
            (bare if _is_bare(word) else settings).append(word)
    return verb, flags + _named(bare, settings, verb) + settings


FLAGS_WITH_VALUE = {
    "--cfg",
    "-c",
    "--package",
    "-p",
    "--config-dir",
    "-cd",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
}


FLAGS = {
    *FLAGS_WITH_VALUE,
    "--multirun",
    "-m",
    "--resolve",
    "--info",
    "-i",
    "--hydra-help",
    "--version",
    "--help",
    "-h",
}


def _known(flag: str) -> str:
    if flag.partition("=")[0] not in FLAGS:
        raise ConfigError(f"there is no flag '{flag}'{did_you_mean(flag, FLAGS)}")
    return flag


def _is_bare(word: str) -> bool:
    return "=" not in word and not word.startswith(("-", "+", "~"))


def _named(bare: Sequence[str], settings: Sequence[str], verb: str) -> list[str]:
    """The bare words as settings: a verb's main arguments, but those given by name, then its list of what follows.

    >>> _named(["runs/x", "a.jpg", "b.jpg"], [], "predict")
    ["checkpoint='runs/x'", "input=['a.jpg','b.jpg']"]
    >>> _named(["a.jpg"], ["checkpoint=runs/x"], "predict")
    ["input=['a.jpg']"]
    """
    given = {word.partition("=")[0] for word in settings}
    names = [name for name in MAIN_ARGUMENTS.get(verb, ()) if name not in given]
    named = [f"{name}={_quoted(word)}" for name, word in zip(names, bare, strict=False)]
    rest, its_list = bare[len(names) :], TAKES_A_LIST.get(verb)
    if rest and (its_list is None or its_list in given):
        raise ConfigError(f"'{rest[0]}' is neither group=option nor key=value; see python -m vggexp {verb} --help")
    return [*named, f"{its_list}=[{','.join(_quoted(word) for word in rest)}]"] if rest else named


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


if __name__ == "__main__":
    main()
