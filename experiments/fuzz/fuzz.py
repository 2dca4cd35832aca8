"""Does any input end in a traceback? Mutates annotations and command lines for some minutes; README.md says how."""

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from vggexp.config.help import groups, options, verbs
from vggexp.config.schema.known import schema
from vggexp.errors import UserError

CASES = Path(__file__).parents[2] / "tests" / "data" / "cases"
LAYOUTS = [
    ("voc", "voc_bad_boxes", "*.xml"), ("voc", "voc_exif_stored", "*.xml"), ("voc", "voc_exif_upright", "*.txt"),
    ("coco", "coco_mixed", "*.json"), ("csv", "csv_bom", "*.csv"), ("yolo", "yolo_roboflow", "*.txt"),
    ("yolo", "yolo_roboflow", "*.yaml"), ("mask_folder", "masks_colour", "*.png"),
]  # fmt: skip
TOKENS = [
    b"nan", b"inf", b"-1", b"1e999", b"9" * 25, b"null", b"[]", b"{}", b"true", b'""', b"'", b'"', b"\0", b"\xff\xfe",
    b"<", b">", b"</", b"&x;", b"<!DOCTYPE a>", b"\n", b",", b";", b"\t", b":", b"-", b"../../etc/passwd", b"/etc",
    b"[", b"]", b"{", b"}", b"0", b"0.5", b"1e-300", b"2001-99-99", b"!!python/object:os.system", b"&a *a", b"%",
    b"\xc3\x28", "\u202e".encode(), b"a" * 5000, b"9" * 5000, b"[" * 2000, b'{"a":' * 2000, b"${", b"${oc.env:HOME}",
    b"=", b"~", b"+", b"glob(*)", b"range(3)", b"1,2", b"choice(a,b)",
]  # fmt: skip
PIECES = re.compile(rb'-?\d+\.?\d*|"[^"]*"|[A-Za-z_]+')


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The bytes with one to eight changes: flipped bits, tokens put in or in place of others, cuts, repeats."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        kind, at = chance.randrange(7), chance.randrange(len(changed) + 1)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at:at] = chance.choice(TOKENS)
        elif kind == 2:
            del changed[at : at + chance.randrange(1, 20)]
        elif kind == 3:
            del changed[at:]
        elif kind == 4:
            other = chance.randrange(len(changed) + 1)
            changed[at:at] = changed[other : other + chance.randrange(1, 60)]
        elif kind == 5 and (pieces := [found.span() for found in PIECES.finditer(changed)]):
            start, end = chance.choice(pieces)
            changed[start:end] = chance.choice(TOKENS)
        else:
            lines = bytes(changed).split(b"\n")
            chance.shuffle(lines)
            changed = bytearray(b"\n".join(lines))
    return bytes(changed)


def annotation(chance: random.Random, folder: Path) -> tuple[bytes, Callable[[], object]]:
    """A mutated file in a copy of a case, and what reads the folder, photos and targets too."""
    layout, case, pattern = chance.choice(LAYOUTS)
    root = folder / case
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(CASES / case, root)
    file = chance.choice(sorted(path for path in root.rglob(pattern) if path.name != "README.txt"))
    content = mutated(file.read_bytes(), chance)
    file.write_bytes(content)
    name = chance.choice((layout, layout, "auto"))
    need = frozenset({chance.choice(("label", "labels", "box", "mask"))})

    def read() -> None:
        data = getattr(import_module(f"vggexp.data.{name}"), name)(root=str(root))
        split = data.split("train", need)
        for place in range(len(split)):
            split[place]

    return content, read


def command_line(chance: random.Random, folder: Path) -> tuple[bytes, Callable[[], object]]:
    """Mutated words, and the command that they are. What torch would do is left out."""
    verb = chance.choice(sorted(verbs()))
    keys = sorted(schema()["verb"][verb]) + [f"{g}.{k}" for g, of in schema()["group"].items() for k in of]
    whole = [f"{group}={option}" for group in groups() for option in options(group)]
    values = ["0", "1", "-1", "0.5", "null", "true", "[1,2]", "{a: 1}", "x", "'x'", "nan", "1,2", "???"]
    words = [verb] if chance.random() < 0.7 else []
    for _ in range(chance.randrange(1, 5)):
        word = chance.choice(whole) if chance.random() < 0.4 else f"{chance.choice(keys)}={chance.choice(values)}"
        word = chance.choice(("", "", "", "+", "++", "~")) + word
        if chance.random() < 0.5:
            word = mutated(word.encode(), chance).decode("utf-8", "replace")[:300]
        words.append(word)
    words += chance.choice(([], [], [], ["-m"], ["--cfg", "job"], ["--help"], ["--resolve"]))
    chance.shuffle(words)
    words = [word for word in words if "debug" not in word]  # it asks for tracebacks

    def run() -> None:
        from vggexp.__main__ import enter

        code = enter(words)
        if code not in (0, 1, 2):
            raise AssertionError(f"exit code {code}")

    return "\n".join(words).encode(), run


def without_torch() -> None:
    """Let a command end where its program would begin."""
    job = import_module("vggexp.sweep.job")

    class Program:
        @staticmethod
        def run(*_: object) -> int:
            return 0

    job.import_module = lambda name: Program  # type: ignore[attr-defined]


def main() -> None:
    """Try until the time is over; print each new place of a traceback, and keep the input in ``crashes``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("annotations", "words"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crashes", type=Path, default=Path("crashes"))
    given = parser.parse_args()
    chance, tried, places = random.Random(given.seed), Counter[str](), set[str]()
    make = annotation if given.what == "annotations" else command_line
    if given.what == "words":
        without_torch()
    end = time.monotonic() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as name:
        while time.monotonic() < end:
            content, action = make(chance, Path(name))
            errors = StringIO()
            try:
                with redirect_stdout(StringIO()), redirect_stderr(errors):
                    action()
                tried["ended"] += 1
            except UserError:
                tried["refused"] += 1
            except SystemExit:
                tried["left by argparse"] += 1
            except Exception as error:
                own = [f for f in traceback.extract_tb(error.__traceback__) if "/vggexp/" in f.filename][-1]
                place = f"{Path(own.filename).name}-{own.lineno}"
                tried["traceback"] += 1
                if place not in places:
                    places.add(place)
                    given.crashes.mkdir(exist_ok=True)
                    (given.crashes / place).write_bytes(content)
                    print(f"{place}: {type(error).__name__}: {str(error)[:200]!r} {content[:200]!r}", flush=True)
            if "Traceback" in errors.getvalue():
                tried["traceback in its output"] += 1
                print(content[:300], errors.getvalue()[-600:], flush=True)
    print(f"{given.what}, seed {given.seed}: {sum(tried.values())} inputs in {given.minutes:g} minutes: {dict(tried)}")
    sys.exit(bool(places))


if __name__ == "__main__":
    main()
