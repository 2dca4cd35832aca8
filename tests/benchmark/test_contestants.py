"""Every contestant does every work that it is entered for, at a toy's size: so many turns, each with a time."""

from pathlib import Path

import pytest

from vggexp.benchmark import limit
from vggexp.benchmark.contestant import contend
from vggexp.benchmark.photos import draw_photos
from vggexp.benchmark.plan import REQUIRED, Sizes, plan, works
from vggexp.benchmark.rounds import Message, Rounds

TINY = {"batch_size": 4, "image_size": (32, 32), "steps": 2, "images": 8, "epochs": 2, "sample": 4, "width": 0.05,
        "hidden": 8, "precision": "32", "gpus": 0, "repeats": 2}  # fmt: skip


@pytest.fixture(autouse=True)
def _small_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limit.SIDES, "cpu", 64)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Sizes:
    root = tmp_path_factory.mktemp("photos")
    draw_photos(root, train=60, test=4, size=(40, 30))
    return Sizes(root=str(root), **TINY)  # type: ignore[arg-type]


def turns_of(module: str, job: object, count: int) -> list[Message]:
    """What a contestant says while it takes its turns, here in this process."""
    said: list[Message] = []
    asked = iter([True] * count + [False])
    contend(f"vggexp.benchmark.{module}", job, Rounds(said.append, lambda: next(asked)))  # type: ignore[arg-type]
    return said


def entries() -> list[object]:
    toy = Sizes(root="nowhere", **TINY)  # type: ignore[arg-type]
    pairs = [(name, who) for name in works() for who in ("ours", *plan(name, toy).against)]
    pairs += [(name, "limit") for name in works() if plan(name, toy).bounded]
    slow = pytest.mark.slow  # timm's VGG16 has one size only
    return [pytest.param(*pair, marks=slow if pair[1] == "timm" else ()) for pair in pairs]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "who"), entries())
def test_it_takes_its_turns(name: str, who: str, sizes: Sizes) -> None:
    work = plan(name, sizes)
    job = next(iter(work.ours.values()))
    if who in REQUIRED:
        pytest.importorskip(REQUIRED[who])
    module = who if who == "limit" else f"against.{work.against[who][0] if who in work.against else who}"
    ready, *turns = turns_of(module, job if who in ("ours", "limit") else work.against[who][1], 2)
    assert ready["ready"]
    assert len(turns) == 2
    for turn in turns:
        assert all(seconds > 0 for seconds in turn["seconds"].values())
        assert turn["amount"] >= 1
        assert turn["memory_mib"] > 10


def test_the_photos_are_what_was_asked_for(sizes: Sizes) -> None:
    from vggexp.data.pets import Pets

    pets = Pets(sizes.root)
    assert [len(pets.split(name, frozenset({"label", "mask"}))) for name in ("train", "val", "test")] == [60, 12, 6]  # type: ignore[arg-type]
    assert Path(sizes.root, "oxford-iiit-pet").is_dir()
