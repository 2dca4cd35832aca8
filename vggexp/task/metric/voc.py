"""VOC's average precision (Everingham et al. 2010, section 4.2) at an IoU of 0.5, both forms.

VOC 2007 takes the mean of the precision at eleven recalls; from 2010 on the area under all points counts. Unlike
VOC's own code, a box from 10 to 20 is 10 pixels wide here, not 11.
"""

from collections.abc import Sequence

import numpy as np

from vggexp.task.matching import IOU
from vggexp.task.metric.scored import Floats, Places, Scored, flag

_IGNORED, _FALSE = -2, -1


def voc(images: Sequence[Scored], num_classes: int) -> tuple[Floats, Floats]:
    """The average precision of each class, (C,), by all points and by eleven; NaN for a class without an object.

    Difficult objects need not be found, nor does it count if they are; likewise crowds, inside which half of a
    prediction must lie.
    """
    positives = np.zeros(num_classes, dtype=np.int64)
    scores, labels, taken = [np.zeros(0)], [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    seen = 0
    for image in images:
        positives += np.bincount(image.truth.labels[image.truth.counted()].numpy(), minlength=num_classes)
        places = _places(image)
        taken.append(np.where(places >= 0, places + seen, places))
        assert image.predicted.scores is not None
        scores.append(image.predicted.scores.double().numpy())
        labels.append(image.predicted.labels.numpy())
        seen += len(image.truth)
    score, label, place = (np.concatenate(one) for one in (scores, labels, taken))
    both = [_of_class(score[label == one], place[label == one], int(positives[one])) for one in range(num_classes)]
    return np.array([all_points for all_points, _ in both]), np.array([eleven for _, eleven in both])


def _places(image: Scored) -> Places:
    """For each prediction, the object of its class that it overlaps most, taken or not: its place, or why none."""
    found = np.full(len(image.predicted), _FALSE, dtype=np.int64)
    if not len(image.truth) or not len(image.predicted):
        return found
    crowd, difficult = (flag(one, len(image.truth)).numpy() for one in (image.truth.crowd, image.truth.difficult))
    same = image.predicted.labels.numpy()[:, None] == image.truth.labels.numpy()[None]
    overlaps = np.where(same, image.overlaps(flag(image.truth.crowd, len(image.truth))), 0.0)
    single = np.where(crowd, 0.0, overlaps)
    best = single.argmax(1)
    is_near = single.max(1) >= IOU
    found[is_near] = np.where(difficult[best], _IGNORED, best)[is_near]
    found[~is_near & (np.where(crowd, overlaps, 0.0).max(1) >= IOU)] = _IGNORED
    return found


def _of_class(scores: Floats, places: Places, positives: int) -> tuple[float, float]:
    if not positives:
        return float("nan"), float("nan")
    order = np.argsort(-scores, kind="stable")
    order = order[places[order] != _IGNORED]
    ranked = places[order]
    first = np.zeros(len(ranked), dtype=bool)
    first[np.unique(ranked, return_index=True)[1]] = True  # a second prediction of an object is false
    hits = np.cumsum(first & (ranked != _FALSE))
    precision = hits / np.arange(1, len(hits) + 1)
    return all_points(hits, precision, positives), eleven_points(hits, precision, positives)


def all_points(hits: Places, precision: Floats, positives: int) -> float:
    """The area under the curve, whose precision at a recall is the highest at that recall or a greater one.

    Args:
        hits: (P,), objects found by the first 1, 2, ... predictions; ``precision`` the share of these that are right.
        positives: the number of objects.
    """
    steps = np.diff(hits, prepend=0)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float((steps * highest).sum() / positives)


def eleven_points(hits: Places, precision: Floats, positives: int) -> float:
    """The mean of the highest precision at a recall of at least 0, 0.1, ..., 1; 0 where that is not reached."""
    # In whole numbers: 3 of 10 objects are a recall of 0.3, whatever 0.1 + 0.1 + 0.1 is.
    reached = [precision[10 * hits >= tenth * positives] for tenth in range(11)]
    return float(np.mean([one.max() if one.size else 0.0 for one in reached]))
