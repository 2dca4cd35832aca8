"""Several classes a photo, from a description of photos to predictions, exported networks and the page."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.labelled import COLOURS, labelled, write_labelled

Vggexp = Callable[..., tuple[int, str, str]]
WORDS = (
    "--config-dir", "conf_of_mine", "data=labelled", "task=multilabel", "backbone=vgg11_bn", "backbone.width=0.05",
    "head.hidden=8", "head.pool=1", "trainer.max_epochs=1", "trainer.precision=32", "run.dir=run",
)  # fmt: skip
FIXED = "data.train_transform=${data.eval_transform}"

TRUST = "trust=[tests]"  # the data set of this test is code of one's own


@pytest.fixture
def train(vggexp: Vggexp) -> Callable[..., Path]:
    write_labelled()

    def run(*words: str) -> Path:
        code, _, errors = vggexp(*WORDS, *words)
        assert code == 0, errors
        return Path("run")

    return run


def test_a_photo_has_every_class_that_it_shows_crowds_included() -> None:
    write_labelled()
    data = labelled("photos")
    assert data.provides >= {"label", "labels", "box"}
    for split in ("train", "val", "test"):
        dataset = data.split(split, frozenset({"labels"}))
        records, _ = data.photos(split, frozenset({"labels"}))
        for record, sample in zip(records, dataset, strict=True):
            assert sample.keys() == {"image", "index", "labels"}
            assert [name for name, has in zip(COLOURS, sample["labels"], strict=True) if has] == [
                found.label for found in record.objects or ()
            ]
    shown = [sample["labels"].tolist() for sample in data.split("train", frozenset({"labels"}))]
    assert [0, 0, 0] in shown  # nothing is an answer, too
    assert [1, 1, 1] in shown


def test_another_choice_of_classes_is_another_answer() -> None:
    write_labelled()
    two = labelled("photos", classes={"blue": ["blue"], "warm": ["red"]})
    some, whole = (data.split("train", frozenset({"labels"})) for data in (two, labelled("photos")))
    pairs = [[int(blue), int(red)] for red, _, blue in (sample["labels"] for sample in whole)]
    assert [sample["labels"].tolist() for sample in some] == pairs
    assert some.reader.facts != whole.reader.facts


def test_from_training_to_prediction(train: Callable[..., Path], vggexp: Vggexp) -> None:
    folder = train()
    summary = json.loads((folder / "summary.json").read_text())
    names = {"map", "f1", *(f"ap/{name}" for name in COLOURS)}
    for split in ("val", "test"):
        assert {f"{split}/{name}" for name in names} <= summary["metrics"].keys()
        assert {f"{split}/{name}" for name in names} == {key for key in summary["baseline"] if key.startswith(split)}
    assert summary["objective"]["metric"] == "val/map"

    code, _, errors = vggexp("evaluate", "run", TRUST)
    assert code == 0, errors
    scores = json.loads((folder / "evaluation-test.json").read_text())["metrics"]
    assert scores["test/map"] == pytest.approx(summary["metrics"]["test/map"])

    code, _, errors = vggexp("predict", "run", TRUST, "photos", "output=out", "overlays=true")
    assert code == 0, errors
    rows = [json.loads(line) for line in Path("out/predictions.jsonl").read_text().splitlines()]
    assert len(rows) == 48
    for row in rows:
        assert row["probability"].keys() == COLOURS.keys()
        assert row["classes"] == sorted(row["classes"], key=lambda name: -row["probability"][name])
        for name, share in row["probability"].items():  # rounded, so 0.5 may be above
            assert share == 0.5 or (name in row["classes"]) == (share > 0.5)
        assert Path("out", row["overlay"]).exists()


def test_beside_another_task(vggexp: Vggexp) -> None:
    """Two heads on one backbone: a photo's classes, and the box of its largest square that is no crowd."""
    write_labelled()
    small = ("head.part.multilabel.hidden=8", "head.part.multilabel.pool=1", "head.part.localization.hidden=[8]")
    words = [word for word in WORDS if not word.startswith(("task", "head"))]
    both = ("task=multitask", "task.parts=[multilabel,localization]")
    code, _, errors = vggexp(*words, *both, *small)
    assert code == 0, errors
    assert {"test/map", "test/box_iou", "test/score"} <= json.loads(Path("run/summary.json").read_text())[
        "metrics"
    ].keys()
    code, _, errors = vggexp("predict", "run", TRUST, "photos", "output=out", "overlays=false")
    assert code == 0, errors
    row = json.loads(Path("out/predictions.jsonl").read_text().splitlines()[0])
    assert {"classes", "probability", "box"} <= row.keys()


def test_the_page_shows_the_classes(train: Callable[..., Path], vggexp: Vggexp) -> None:
    folder = train("task.threshold=0.2")
    found = json.loads((folder / "prediction" / "test.json").read_text())
    assert [row["shown"] for row in found["diagnostics"]["multilabel"]["by_class"]]
    for image in found["images"]:
        assert len(image["prediction"]["labels"]) == len(image["prediction"]["probabilities"])
        assert "probabilities" not in image["truth"]
    code, _, errors = vggexp("report", ".", "output=page.html")
    assert code == 0, errors
    page = Path("page.html").read_text()
    assert "multilabel on labelled" in page
    assert "<summary>classes: none</summary>" in page
    for words in ("average precision of each class", "precision and recall, one curve per class", '"title":"mAP"'):
        assert words in page


@pytest.mark.slow
def test_caches_and_freezing_change_nothing(train: Callable[..., Path], vggexp: Vggexp) -> None:
    """The features of a frozen backbone, kept on disk beside the labels, give the run that is not cached."""
    train("freeze=backbone", "cache=disk", "cache.dir=kept", FIXED)
    code, _, errors = vggexp(*WORDS[:-1], "cache=off", "freeze=backbone", "run.dir=plain", FIXED)
    assert code == 0, errors
    cached, plain = (json.loads(Path(name, "summary.json").read_text())["metrics"] for name in ("run", "plain"))
    assert cached["test/map"] == pytest.approx(plain["test/map"], abs=1e-4)
    assert any(Path("kept").rglob("labels"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["loss=cross_entropy"], "loss compares with label or mask, and its task learns from labels"),
        (["task=classification", "loss=binary_cross_entropy"], "loss compares with labels, and its task learns from l"),
        (["data=digits"], "task=multilabel needs labels, and data=digits has only label, box, mask"),
        (["head=unet"], "task=multilabel takes class_logits, and head=unet gives pixel_logits"),
        (["task=multitask", "task.parts=[multilabel,classification]"], "one part learns from label, another from labe"),
        (["task.threshold=2"], "task.threshold=2 is not a number from 0 to below 1"),
        (["loss.pos_weight=5"], "loss.pos_weight=5 is not a list of numbers"),
        (["loss.pos_weight=[1,-1,1]"], "loss.pos_weight=-1 is not a number of at least 0"),
        (["data.classes=[red,pink]"], "the data has no class 'pink'"),
    ],
)
def test_one_line_for_what_does_not_fit(words: list[str], message: str, vggexp: Vggexp) -> None:
    write_labelled(16)
    code, _, errors = vggexp(*(word for word in WORDS if not word.startswith("head.")), *words)
    assert code == 2
    assert message in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_class_without_a_photo_to_train_on_is_named(vggexp: Vggexp) -> None:
    write_labelled(24)
    for path in Path("photos").glob("*blue*"):
        path.unlink()
    code, _, errors = vggexp(*WORDS)
    assert code == 0, errors
    assert "class 'blue' never occurs in the training split" in errors
    assert json.loads(Path("run/summary.json").read_text())["metrics"]["test/ap/blue"] is None
    code, _, errors = vggexp(*WORDS, "loss.pos_weight=balanced", "run.dir=balanced")
    assert code == 1
    assert "so the loss cannot balance it; leave it out of data.classes" in errors


def test_labels_that_are_none_are_named(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a data set of the user's own."""
    Path("own_labels.py").write_text(OWN)
    monkeypatch.syspath_prepend(".")
    Path("conf_of_mine/data").mkdir(parents=True)
    lines = ["_target_: own_labels.Mine", "provides: [labels]", "image_size: [32, 32]", "batch_size: 2", "workers: 0",
             "train_transform: []", "eval_transform: []", "wrong: ???"]  # fmt: skip
    Path("conf_of_mine/data/labelled.yaml").write_text("\n".join(lines))
    for wrong, message in {
        "torch.tensor([1, 0])": "labels of sample 0 of train is int64; it must be uint8",
        "torch.zeros(3, dtype=torch.uint8)": "has the shape (3,); it must be one number for each class, (2,)",
        "torch.tensor([2, 0], dtype=torch.uint8)": "labels of sample 0 of train holds 2; it is 1 for each class that",
    }.items():
        code, _, errors = vggexp(*WORDS, f"data.wrong='{wrong}'")
        assert code == 1, errors
        assert message in errors


OWN = """
import torch
from vggexp.types import DataInfo

class Rows(torch.utils.data.Dataset):
    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {"image": torch.zeros(3, 32, 32, dtype=torch.uint8), "index": index, "labels": self.labels}

class Mine:
    info = DataInfo(("even", "odd"), ())

    def __init__(self, wrong, train_transform, eval_transform):
        self.labels = eval(wrong)

    def split(self, name, needs, *, augment=False):
        return Rows(self.labels)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "torch_export", "safetensors"])
def test_exports(form: str, train: Callable[..., Path], vggexp: Vggexp) -> None:
    pytest.importorskip("onnxruntime" if form == "onnx" else "torch")
    train()
    code, _, errors = vggexp("export", "run", TRUST, f"format={form}", "output=exported")
    assert code == 0, errors
    (card,) = (json.loads(path.read_text()) for path in Path("exported").rglob("*.json"))
    assert card["outputs"]["labels"]["dtype"] == "uint8"
    assert np.isfinite(card["check"]["largest_difference"]["probability"])


def test_the_demo_names_the_classes(train: Callable[..., Path]) -> None:
    pytest.importorskip("flask", reason="the page needs flask (extra: demo)")
    from vggexp.command.demo import make_server

    train("task.threshold=0.01")
    server = make_server({"checkpoint": "run", "port": 0, "override": {}, "trust": ["tests"]})
    try:
        photo = {"image": (io.BytesIO(Path("photos/7-red+green+blue.png").read_bytes()), "a.png")}
        page = server.app.test_client().post("/", data=photo).get_data(as_text=True)
    finally:
        server.server_close()
    assert "<h2>Classes: " in page
    assert all(name in page for name in COLOURS)
