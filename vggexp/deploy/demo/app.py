"""The web server of the demo: one form, one script that submits it, no resources from the network.

It uses Flask (BSD); other demo kits bring analytics, remote fonts, or conflicting version pins.
"""

import base64
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import torch
from flask import Flask, abort, render_template, request
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.boxes import to_edges
from vggexp.deploy.predict.objects import describe_objects
from vggexp.deploy.predict.photos import preview
from vggexp.deploy.predict.predictor import Predictor
from vggexp.deploy.predict.row import describe
from vggexp.deploy.predict.view import View
from vggexp.errors import UserError
from vggexp.sample.image import read_shrunk
from vggexp.sample.picture import opened
from vggexp.task.drawing import palette, save_mask
from vggexp.types import VOID, DataInfo, Objects, Prediction

LARGEST = 50_000_000
"""Maximum size of a picture, bytes."""
MOST_MEGAPIXELS = 50
"""Maximum size of a picture, decoded; a phone's largest photos. A megapixel needs up to 20 MB while it is read."""
NAMES = ("127.0.0.1", "localhost")
"""What this machine calls itself."""
SHOWN = 0.5
"""The score from which objects are shown at first."""


def make_app(predictor: Predictor, view: View, info: DataInfo, title: str) -> Flask:
    """The page at ``/``; for programs, ``POST /predict`` with a file ``image``, which returns one row of JSON."""
    app = Flask("vggexp.deploy.demo", root_path=str(Path(__file__).parent), template_folder=".", static_folder=None)
    # Against DNS rebinding, where another site points its name at this machine: answer only these names.
    app.config.update(MAX_CONTENT_LENGTH=LARGEST, TRUSTED_HOSTS=list(NAMES))
    turn = Lock()  # one picture at a time is decoded and predicted: that uses all cores, and bounds the memory

    def answer() -> dict[str, Any]:
        upload = request.files.get("image")
        if upload is None or not upload.filename:
            return {"error": "choose a picture first"}
        try:
            with turn, _file(upload.stream.read()) as path:
                return {"name": upload.filename, **shown(path, predictor, view, info)}
        except UserError as error:
            return {"error": f"{upload.filename}: {error}"}

    @app.route("/", methods=["GET", "POST"])
    def page() -> str:
        found = answer() if request.method == "POST" else {}
        return render_template("page.html", title=title, info=info, **found)

    @app.post("/predict")
    def row() -> tuple[dict[str, Any], int]:
        found = answer()
        return (found["row"], 200) if "row" in found else ({"error": found["error"]}, 400)

    app.before_request(_from_here)
    app.after_request(_alone)
    return app


def shown(path: Path, predictor: Predictor, view: View, info: DataInfo) -> dict[str, Any]:
    """The predictions for a picture: the ``row`` that ``predict`` would write, and the page's ``layers``."""
    try:
        image = opened(path, path.read_bytes())
        pixels = image.width * image.height / 1e6
        if pixels <= MOST_MEGAPIXELS:
            photo = read_shrunk(path, view.shrink)
            small = preview(path, photo)
    except UserError:
        raise UserError("this is not an image that can be read") from None
    if pixels > MOST_MEGAPIXELS:
        raise UserError(f"it has {pixels:.0f} megapixels, more than the {MOST_MEGAPIXELS} that this page reads")
    seen, window = view(photo.image, photo.size)
    prediction = predictor(seen[None])[0]
    laid = window.lay_back(prediction, (small.shape[-2], small.shape[-1]))
    others = {name: value for name, value in prediction.items() if name != "objects"}
    row = describe(window.lay_back(others, photo.size), info, photo.size)
    if "objects" in prediction:
        row["objects"] = describe_objects(prediction["objects"], window, photo.size, info)
    return {"row": row, "layers": layers(small, laid, info)}


def _from_here() -> None:
    """Refuse what a page of another site sends: a browser says where it comes from."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).hostname not in NAMES:
        abort(403)


def _alone(response: Any) -> Any:
    """Forbid the browser to load anything from other hosts."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    response.headers["Content-Security-Policy"] = f"{policy}; form-action 'self'; frame-ancestors 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def layers(image: Tensor, prediction: Prediction, info: DataInfo) -> dict[str, Any]:
    """The layers of the page: the photo, the mask over it, the boxes in percent; and the legend."""
    found: dict[str, Any] = {"image": _url(lambda file: to_pil_image(image).save(file, "JPEG", quality=92), "jpeg")}
    if "box" in prediction:
        left, top, right, bottom = (100 * to_edges(prediction["box"]).clamp(0, 1)).tolist()
        found["box"] = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    if "objects" in prediction:
        found |= _objects(prediction["objects"], image, info)
    if "mask" in prediction:
        mask = prediction["mask"]
        found["mask"] = _url(lambda file: _save_mask(mask, file, len(info.mask_classes)), "png")
        present = [label for label in mask.flatten().bincount().nonzero().flatten().tolist() if label != VOID]
        colors = palette(len(info.mask_classes)).tolist()
        found["legend"] = [
            (info.mask_classes[label], "#{:02x}{:02x}{:02x}".format(*colors[label])) for label in present
        ]
    return found


def _objects(objects: Objects, image: Tensor, info: DataInfo) -> dict[str, Any]:
    """The boxes of all objects, which the page filters by score, and the mask of those that ``SHOWN`` lets through."""
    height, width = image.shape[-2:]
    colors = ["#{:02x}{:02x}{:02x}".format(*color) for color in palette(len(info.classes) + 1)[1:].tolist()]
    assert objects.scores is not None
    boxes = []
    for edges, label, score in zip(objects.boxes, objects.labels.tolist(), objects.scores.tolist(), strict=True):
        left, top, right, bottom = (100 * edges / edges.new_tensor((width, height, width, height))).tolist()
        place = {"left": left, "top": top, "width": right - left, "height": bottom - top}
        boxes.append({**place, "class": info.classes[label], "score": score, "color": colors[label]})
    found: dict[str, Any] = {"boxes": boxes, "shown": SHOWN}
    if objects.masks is not None:
        merged = torch.zeros((height, width), dtype=torch.uint8)
        for number in range(len(objects) - 1, -1, -1):  # the most certain one lies on top
            if objects.scores[number] >= SHOWN:
                merged[objects.masks[number] == 1] = 1 + int(objects.labels[number])
        found["object_mask"] = _url(lambda file: _save_mask(merged, file, len(info.classes) + 1), "png")
    return found


def _save_mask(mask: Tensor, file: io.BytesIO, num_classes: int) -> None:
    """Save a palette PNG in which VOID and the first class (usually background) are transparent."""
    with tempfile.TemporaryDirectory() as folder:
        save_mask(mask, Path(folder) / "mask.png", num_classes)
        with Image.open(Path(folder) / "mask.png") as picture:
            clear = bytes([0, *[255] * 254, 0])
            picture.save(file, "PNG", transparency=clear)


def _url(save: Callable[[io.BytesIO], None], kind: str) -> str:
    file = io.BytesIO()
    save(file)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


@contextmanager
def _file(content: bytes) -> Iterator[Path]:
    """A file that holds the bytes, until the block ends."""
    handle, name = tempfile.mkstemp(prefix="vggexp-demo-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink()
