"""``predict``, ``export`` and ``demo`` with a run that finds objects, as a user types it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command.test_predict import rows, write
from tests.conftest import TINY

Vggexp = Callable[..., tuple[int, str, str]]
SMALL = (
    "task=instance_segmentation", "head=mask_rcnn", "data.objects=[1,3]", "head.channels=16", "head.hidden=16",
    "head.mask_channels=8", "head.samples=16", "head.proposals=30", "head.threshold=0.0", "head.detections=6",
    "callback=[]",
)  # fmt: skip


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run: what it finds means nothing, but it finds something."""
    from vggexp.__main__ import enter

    folder = tmp_path_factory.mktemp("segmenter") / "run"
    assert enter([*TINY, *SMALL, f"run.dir={folder}"]) == 0
    return folder


@pytest.mark.slow
def test_rows_coco_masks_and_overlays(segmenter: Path, vggexp: Vggexp) -> None:
    for seed, size in enumerate([(70, 50), (33, 90)]):
        write(f"photos/{seed}.png", *size, seed)
    code, out, errors = vggexp("predict", str(segmenter), "photos", "output=out", "object_masks=true")
    assert code == 0, errors
    assert out == "2 of 2 images: out/predictions.jsonl, out/coco.json, out/object, out/overlay\n"
    assert any(row["objects"] for row in rows())
    for row in rows():
        scores = [one["score"] for one in row["objects"]]
        assert scores == sorted(scores, reverse=True)
        for one in row["objects"]:
            assert list(one) == ["class", "score", "box_pixels", "pixels", "rle", "mask"]
            left, top, right, bottom = one["box_pixels"]
            assert 0 <= left <= right <= row["width"]
            assert 0 <= top <= bottom <= row["height"]
            with Image.open(f"out/{one['mask']}") as mask:
                assert mask.size == (row["width"], row["height"])
                assert np.array(mask).sum() == one["pixels"]
    content = json.loads(Path("out/coco.json").read_text())
    assert len(content["annotations"]) == sum(len(row["objects"]) for row in rows())

    bound = max(one["score"] for row in rows() for one in row["objects"]) - 1e-4  # rows round their scores
    assert vggexp("predict", str(segmenter), "photos", "output=few", f"threshold={bound}", "overlays=false")[0] == 0
    kept = [one for row in rows("few") for one in row["objects"]]
    assert 1 <= len(kept) < len(content["annotations"])
    assert not Path("few/object").exists()

    assert vggexp("predict", str(segmenter), "photos", "output=out", "overwrite=true")[0] == 0
    assert not list(Path("out/object").rglob("*.png"))  # what the earlier rows named is gone


@pytest.mark.slow
def test_a_cocotools_result_scores_itself_as_perfect(segmenter: Path, vggexp: Vggexp) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="COCO's own tools")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    write("photos/a.png", 70, 50)
    assert vggexp("predict", str(segmenter), "photos", "output=out", "overlays=false")[0] == 0
    truth = tools.COCO("out/coco.json")
    score = evaluation.COCOeval(truth, truth.loadRes(truth.dataset["annotations"]), "segm")
    score.evaluate()
    assert any(image is not None and (image["dtMatches"][0] > 0).any() for image in score.evalImgs)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "torch_export", "safetensors"])
def test_a_file_finds_what_the_run_finds(form: str, segmenter: Path, vggexp: Vggexp) -> None:
    if form == "onnx":
        pytest.importorskip("onnxruntime", reason="the format onnx needs its extra")
        pytest.importorskip("onnxscript", reason="the format onnx needs its extra")
    code, out, errors = vggexp("export", str(segmenter), f"format={form}", "output=files")
    assert code == 0, errors
    assert "object_boxes" in out
    (card,) = (json.loads(path.read_text()) for path in Path("files").glob("*.json"))
    assert card["outputs"]["object_masks"]["shape"] == ["batch", 6, 28, 28]


@pytest.mark.slow
def test_the_demo_shows_objects(segmenter: Path, vggexp: Vggexp) -> None:
    pytest.importorskip("flask", reason="the page needs flask (extra: demo)")
    from vggexp.command.demo import make_server

    photo = write("photos/a.png", 90, 60)
    server = make_server({"checkpoint": str(segmenter), "port": 0, "override": {}, "trust": []})
    client = server.app.test_client()
    page, answer = (
        client.post(path, data={"image": (io.BytesIO(photo.read_bytes()), "a.png")}) for path in ("/", "/predict")
    )
    server.server_close()
    assert vggexp("predict", str(segmenter), "photos", "output=out", "overlays=false")[0] == 0
    (row,) = rows()
    assert answer.json["objects"] == row["objects"]
    text = page.get_data(as_text=True)
    assert text.count('class="box object') == len(row["objects"]) > 0
    assert 'id="least"' in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("threshold=0.5",), "threshold=0.5 is for detectors; this run does multitask"),
        (("object_masks=true",), "object_masks=true: this run finds no masks of objects"),
    ],
)
def test_words_for_detectors_are_refused_for_others(
    words: tuple[str, ...], message: str, trained: Path, vggexp: Vggexp
) -> None:
    write("photos/a.png", 40, 40)
    code, _, errors = vggexp("predict", str(trained), "photos", *words)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1


def test_a_threshold_is_a_probability(trained: Path, vggexp: Vggexp) -> None:
    write("photos/a.png", 40, 40)
    code, _, errors = vggexp("predict", str(trained), "photos", "threshold=50")
    assert code == 2
    assert "threshold=50" in errors
