"""What the tests of detection heads share: a small backbone, and objects with masks."""

import torch
from torchvision.ops import box_iou

from vggexp.backbone.vgg import VGG
from vggexp.types import Features, Head, HeadSpec, ObjectList, Objects

CLASSES = 3
SIZE = (64, 96)


def small_backbone() -> VGG:
    torch.manual_seed(0)
    return VGG("A", width=1 / 16).eval()


def spec() -> HeadSpec:
    vgg = VGG("A", width=1 / 16)
    return HeadSpec(vgg.channels, vgg.strides, {"detection": CLASSES})


def features(head: Head, count: int = 2, size: tuple[int, int] = SIZE) -> Features:
    images = torch.arange(count * 3 * size[0] * size[1]).mul(12.9).sin().view(count, 3, *size)
    with torch.no_grad():
        found: Features = small_backbone()(images, head.reads)
    return found


def objects(*boxes: tuple[float, float, float, float], size: tuple[int, int] = SIZE) -> Objects:
    """Boxes of classes 0, 1, 2, 0 ..., each filled by its mask."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[int(top) : int(bottom), int(left) : int(right)] = 1
    edges = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Objects(edges, torch.arange(len(boxes)) % CLASSES, masks)


def lesson() -> dict[str, ObjectList]:
    """The second image shows nothing."""
    return {"objects": ObjectList([objects((8, 8, 40, 40), (50, 20, 80, 60)), objects()])}


def overfit(head: torch.nn.Module, steps: int, lr: float = 0.003) -> ObjectList:
    """What the head finds in the two images after some steps on them: a bright and a dark rectangle, and nothing."""
    torch.manual_seed(0)
    targets = lesson()
    images = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(0)) * 0.2
    for (left, top, right, bottom), label in zip(targets["objects"][0].boxes.int().tolist(), (1, -1), strict=True):
        images[0, :, top:bottom, left:right] += 2 * label
    with torch.no_grad():
        seen = small_backbone()(images, head.reads)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(head.parameters(), lr=lr)
    head.train()
    for _ in range(steps):
        optimizer.zero_grad()
        sum(head(seen, targets).values()).backward()
        optimizer.step()
    with torch.no_grad():
        found: ObjectList = head.eval()(seen)
    return found


def finds(found: ObjectList) -> bool:
    """Whether ``lesson`` was learned: the most certain detection of each object's class is that object."""
    expected, seen = lesson()["objects"][0], found[0]
    overlaps = box_iou(expected.boxes, seen.boxes)
    best = [(seen.labels == label).nonzero()[:1, 0] for label in expected.labels]
    return all(len(place) == 1 and bool(overlaps[row, place] > 0.6) for row, place in enumerate(best))
