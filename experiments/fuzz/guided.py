"""As fuzz.py, guided by coverage: atheris keeps the inputs that reach new lines of vggexp, and mutates them further.

It needs atheris (pip install atheris). README.md says how to run it.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vggexp"]):
    import fuzz

    import vggexp.__main__
    import vggexp.sweep.command_line
    from vggexp.errors import UserError

NEEDS = ("label", "labels", "box", "mask", "objects")


class Target:
    """Runs one input, and keeps the first input of each place that a traceback comes from.

    Args:
        what: "annotations" or "words".
        crashes: the folder of these inputs.
    """

    def __init__(self, what: str, crashes: Path, end: float) -> None:
        self._run, self._crashes, self._end = {"annotations": _annotation, "words": _words}[what], crashes, end
        self._what, self._count, self._refused, self._places = what, 0, 0, set[str]()
        self._folder = Path(tempfile.mkdtemp())

    def __call__(self, content: bytes) -> None:
        """Run it; after the time is over, tell what was found and leave."""
        errors = StringIO()
        self._count += 1
        try:
            with redirect_stdout(StringIO()), redirect_stderr(errors):
                self._run(content, self._folder)
        except (UserError, SystemExit):
            self._refused += 1
        except Exception as error:
            self._note(error, content)
        if "Traceback" in errors.getvalue():
            print("a traceback in the output:", content[:300], errors.getvalue()[-500:], flush=True)
            self._places.add(errors.getvalue()[-200:])
        if time.monotonic() > self._end:
            self._leave()

    def _note(self, error: Exception, content: bytes) -> None:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/vggexp/" in frame.filename]
        place = f"{Path(own[-1].filename).name}-{own[-1].lineno}" if own else type(error).__name__
        if place not in self._places:
            self._places.add(place)
            self._crashes.mkdir(exist_ok=True)
            (self._crashes / f"guided-{place}").write_bytes(content)
            print(f"{place}: {type(error).__name__}: {str(error)[:200]!r} {content[:200]!r}", flush=True)

    def _leave(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        print(
            f"{self._what}, guided: {self._count} inputs, {self._refused} refused, {len(self._places)} places of "
            f"tracebacks",
            flush=True,
        )
        os._exit(bool(self._places))


def _annotation(content: bytes, folder: Path) -> None:
    """Put the content in the place of a case's file, and read the folder; four bytes choose which, and how."""
    if len(content) < 4:
        return
    layout, case, pattern = fuzz.LAYOUTS[content[0] % len(fuzz.LAYOUTS)]
    root = folder / case
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(fuzz.CASES / case, root)
    files = sorted(path for path in root.rglob(pattern) if path.name != "README.txt")
    files[content[1] % len(files)].write_bytes(content[4:])
    name = (layout, layout, "auto")[content[2] % 3]
    data = getattr(import_module(f"vggexp.data.{name}"), name)(root=str(root))
    split = data.split("train", frozenset({NEEDS[content[3] % len(NEEDS)]}))
    for place in range(len(split)):
        split[place]


def _words(content: bytes, _: Path) -> None:
    words = [word[:300] for word in content.decode("utf-8", "replace").split("\n")]
    if any("debug" in word for word in words):  # it asks for tracebacks
        return
    code = vggexp.__main__.enter(words)
    if code not in (0, 1, 2):
        raise AssertionError(f"exit code {code}")


def seeds(what: str, folder: Path) -> None:
    """Write the inputs that the search begins with."""
    folder.mkdir(parents=True, exist_ok=True)
    if what == "words":
        for number in range(300):
            chance = random.Random(number)
            (folder / str(number)).write_bytes(fuzz.command_line(chance, folder)[0])
        return
    for place, (_, case, pattern) in enumerate(fuzz.LAYOUTS):
        files = sorted(path for path in (fuzz.CASES / case).rglob(pattern) if path.name != "README.txt")
        for number, file in enumerate(files[:3]):
            for need in range(len(NEEDS)):
                (folder / f"{place}-{number}-{need}").write_bytes(
                    bytes((place, number, need % 3, need)) + file.read_bytes()
                )


def mutate(content: bytes, most: int, seed: int) -> bytes:
    """Half of the time as fuzz.py does, else as libFuzzer does."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return atheris.Mutate(content, most)
    return (content[:4] + fuzz.mutated(content[4:], chance))[:most]


def main() -> None:
    """Search until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("annotations", "words"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crashes", type=Path, default=Path("crashes"))
    given = parser.parse_args()
    if given.what == "words":
        fuzz.without_torch()
    with tempfile.TemporaryDirectory() as name:
        seeds(given.what, Path(name))
        target = Target(given.what, given.crashes, time.monotonic() + 60 * given.minutes)
        flags = [f"-seed={given.seed}", "-max_len=20000", "-rss_limit_mb=6000", "-timeout=120", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *flags, name], target, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
