"""Pictures of test images as two runs see them, for the page of ``compare``."""

import io
from collections.abc import Sequence
from typing import Any

import torch
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.learner.learner import Learner
from vggexp.report.album import data_uri
from vggexp.sample.files import Files

SIDE = 224
"""Longest side of a picture, pixels."""


def shots(
    learners: Sequence[Learner], datasets: Sequence[Any], listed: Sequence[Sequence[float]]
) -> list[dict[str, Any]]:
    """A record for each listed image: its ``name``, the runs' ``scores``, and its ``pictures``, one a run.

    Args:
        datasets: each run's own test split.
        listed: as ``agreement`` gives them: [place in the split, score, score].
    """
    found = []
    for place, *scores in listed:
        pictures = [_drawn(learner, dataset[int(place)]["image"])
                    for learner, dataset in zip(learners, datasets, strict=True)]  # fmt: skip
        found.append({"name": name_of(datasets[0], int(place)), "scores": scores, "pictures": pictures})
    return found


def name_of(dataset: Any, place: int) -> str:
    """The name of a sample's file; of samples without files their number."""
    return dataset.reader.files(place)[0].name if isinstance(dataset, Files) else f"image {place}"


@torch.inference_mode()
def _drawn(learner: Learner, image: torch.Tensor) -> str:
    """What the run predicts, drawn on the image, as a data URI."""
    learner = learner.eval().to("cpu")
    prediction = {name: value[0] for name, value in learner.task.predict(learner(image[None])).items()}
    content = io.BytesIO()
    to_pil_image(learner.task.draw(image, prediction)).save(content, "PNG")
    return data_uri(content.getvalue(), SIDE)
