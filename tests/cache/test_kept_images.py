"""Where the boundary of frozen stages moves, each image is decoded once, and the run ends as one without a cache."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cache.test_feature_cache import DENSE, assert_equal_runs, slow
from tests.e2e.test_resume import compare
from vggexp.cache.cached_split import CachedSplit
from vggexp.cache.kept_images import bytes_of_images, kept_images
from vggexp.cache.settings import CacheSettings
from vggexp.data.digits import _Canvases
from vggexp.data.pets import Pets
from vggexp.sample.files import Files
from vggexp.sample.loader import collate

Run = Callable[..., tuple[int, str, str]]
PROBE = ("freeze=linear_probe", "freeze.epochs=2")
WHOLE = ("trainer.limit_train_batches=1.0", "trainer.limit_val_batches=1.0")
TRAIN, VAL = "cache: the images of train: 24, 0 MiB", "cache: the images of val: 6, 0 MiB"


@pytest.fixture
def run(tree: Any, vggexp: Run) -> Run:
    """Train on 24 photos, without augmentation, for three epochs: (exit code, output, errors)."""
    words = ("data=pets", f"data.root={tree.root}", "data.workers=0", "data.batch_size=8", "data.image_size=[32,32]",
             "backbone=vgg11_bn", "backbone.width=0.05", "data.train_transform=[{Resize:{size:[32,32]}}]",
             "callback=[]", "trainer.precision=32", "trainer.max_epochs=3")  # fmt: skip
    return lambda *more: vggexp(*words, *more)


def lines(out: str) -> list[str]:
    return sorted(line for line in out.splitlines() if line.startswith("cache: the images"))


@pytest.mark.parametrize(
    "words",
    [
        (*PROBE, *DENSE),
        slow((*PROBE, "task=localization", "head.hidden=[8]", "head.pool=1")),
        slow((*PROBE, "task=segmentation", "head=fcn", "head.stride=16", "head.hidden=8")),
        slow((*DENSE, "freeze=gradual", "freeze.every=2", "trainer.max_epochs=7")),
    ],
    ids=["classification", "localization", "segmentation", "gradual"],
)
def test_a_run_ends_where_one_without_the_cache_does(words: tuple[str, ...], run: Run) -> None:
    code, out, errors = run(*words, "run.dir=cached")
    assert code == 0, errors
    assert len(lines(out)) == 2
    code, out, errors = run(*words, "run.dir=plain", "cache=off")
    assert code == 0, errors
    assert not lines(out)
    assert_equal_runs("cached", "plain")


def test_more_epochs_decode_no_more_images(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read, indices = Files.__getitem__, []

    def recorded(self: Files, index: int) -> Any:
        indices.append(index)
        return read(self, index)

    monkeypatch.setattr(Files, "__getitem__", recorded)
    decoded = {}
    for epochs in (3, 6):
        for cache in ("auto", "off"):
            indices.clear()
            words = (*PROBE, *DENSE, f"trainer.max_epochs={epochs}", f"cache={cache}", f"run.dir={cache}{epochs}")
            assert run(*words)[0] == 0
            decoded[cache, epochs] = len(indices)
    assert decoded["auto", 6] == decoded["auto", 3]
    assert decoded["off", 6] - decoded["off", 3] == 3 * (24 + 6)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (PROBE, [TRAIN, VAL]),
        ((*PROBE, "data.train_transform=[{Resize:{size:[32,32]}},RandomHorizontalFlip]", "cache.views=2"), [VAL]),
        ((*PROBE, "trainer.limit_train_batches=1"), [VAL]),
        ((*PROBE, "trainer.overfit_batches=1"), [VAL]),
        ((*PROBE, "data.cache=memory"), []),
        ((*PROBE, "cache=disk", "cache.dir=kept"), []),
        (("freeze=none",), []),
        (("freeze=backbone",), []),
    ],
)
def test_which_images_are_kept(words: tuple[str, ...], kept: list[str], run: Run) -> None:
    code, out, errors = run(*DENSE, *words, "run.dir=run")
    assert code == 0, errors
    assert lines(out) == kept


def test_larger_images_than_the_limit_are_decoded_in_every_epoch(run: Run) -> None:
    code, out, errors = run(*DENSE, *PROBE, "cache.max_gb=0.00005", "run.dir=run")  # 53 kB; an image takes 3 kB
    assert code == 0, errors
    assert lines(out) == [TRAIN + ", more than cache.max_gb: decoded in every epoch", VAL]


@pytest.mark.parametrize("words", [("freeze=backbone",), PROBE])
def test_images_of_several_sizes_are_refused_in_one_line(words: tuple[str, ...], run: Run, tree: Any) -> None:
    """Without a cache, batches of one image may train on them."""
    sizes = ("data.train_transform=[]", "data.batch_size=1", "backbone=vgg11", "data.image_size=[32,32]")
    for name in tree.numbers:
        for k in range(1, 11):
            Image.open(tree.image(f"{name}_{k}")).resize((40 * k, 36)).save(tree.image(f"{name}_{k}"))
    code, _, errors = run(*DENSE, *words, *sizes, "run.dir=run")
    assert code == 2
    assert "the cache keeps images of one size" in errors
    assert "Traceback" not in errors
    assert run(*DENSE, *words, *sizes, "cache=off", "run.dir=other")[0] == 0


@pytest.mark.parametrize("needs", [{"label"}, {"label", "box"}, {"mask"}])
def test_samples_and_their_size_are_those_of_the_files(needs: set[str], tree: Any) -> None:
    data = Pets(str(tree.root), eval_transform=[{"Resize": {"size": [20, 24]}}])
    files = data.split("train", frozenset(needs))
    settings = CacheSettings("auto", None, None, None)
    kept = kept_images(files, "train", {"batch_size": 5, "workers": 0}, settings, collate)
    assert isinstance(kept, CachedSplit)
    assert sum(column.nbytes for column in kept._columns.values()) == bytes_of_images(files)
    places = [3, 0, 22]
    batch, expected = kept.__getitems__([(7, place) for place in places]), collate([files[place] for place in places])
    assert batch.keys() == expected.keys()
    for key, value in expected.items():
        assert batch[key].dtype == value.dtype  # type: ignore[literal-required]
        assert (batch[key] == value).all()  # type: ignore[literal-required]
        assert batch[key].stride() == value.stride()  # type: ignore[literal-required]


@pytest.mark.slow
def test_a_resumed_run_reads_them_again(
    train_tiny: Callable[..., Path], vggexp: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut while everything trains: the same weights, bit for bit."""
    monkeypatch.setattr(_Canvases, "in_memory", False)
    words = (*PROBE, *WHOLE, "data.train_transform=[]", "data.workers=0", "trainer.save_every=1")
    compare(words, (3, 1), train_tiny, vggexp)
