"""PASCAL VOC 2012: 11,540 photos with boxes of 20 classes, 2,913 with masks; the test set's truth is not public.

Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 2015.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from torchvision.datasets import VOCDetection

from vggexp.data.voc import LISTS, read
from vggexp.errors import DataError
from vggexp.sample.record.kept_listing import kept_listing
from vggexp.sample.record.mask_labels import BACKGROUND
from vggexp.sample.record.photos import Photos, PhotoWords, folder

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
PLACE = Path("VOCdevkit", "VOC2012")
"""Where the archive has its folders, and torchvision's own data sets expect them."""


def voc2012(
    root: str, download: bool = False, lists: str | Sequence[str] = LISTS, **words: Unpack[PhotoWords]
) -> Photos:  # fmt: skip
    """VOC 2012 with its own 20 classes, its own lists and its way to count pixels, from 1.

    Args:
        root: the folder that holds, or shall hold, VOCdevkit/VOC2012; or that folder itself.
        download: fetch it if it is missing, 2 GB.
        lists: see ``voc``. One split serves all tasks: with Segmentation first its published split is whole, and what
            Main alone lists is added to it, so weights that were trained by one task have not seen another's val.
            ``[Main]`` is the published split of classification and detection.
        words: see ``Photos``.

    Raises:
        DataError: it is not there, or the download failed.
    """
    place = _place(Path(root).expanduser(), download)
    index = words.pop("index_dir", None)
    return Photos(kept_listing(read, place, 1, lists, (BACKGROUND, *CLASSES), CLASSES, index=index), **words)


def _place(root: Path, download: bool) -> Path:
    if (root / "JPEGImages").is_dir():
        return root
    if download and not (root / PLACE / "JPEGImages").is_dir():
        try:
            VOCDetection(str(root), year="2012", image_set="trainval", download=True)  # the archive has the masks, too
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{root}: the download of VOC 2012 failed ({error}); check network and folder") from error
    if not (root / PLACE / "JPEGImages").is_dir():
        raise DataError(f"{root / PLACE} does not hold VOC 2012; give data.download=true, or its folder as data.root")
    return folder(str(root / PLACE))
