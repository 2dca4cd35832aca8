"""What the tests of detection heads share: a small backbone, and objects with masks."""

import torch

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
    edges = torch.tensor(boxes).reshape(-1, 4)
    return Objects(edges, torch.arange(len(boxes)) % CLASSES, masks)


def lesson() -> dict[str, ObjectList]:
    """The second image shows nothing."""
    return {"objects": ObjectList([objects((8, 8, 40, 40), (50, 20, 80, 60)), objects()])}


def overfit(head: torch.nn.Module, steps: int, lr: float = 0.01) -> ObjectList:
    """What the head finds in the two images after some steps on them."""
    torch.manual_seed(0)
    seen, targets = features(head), lesson()  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(head.parameters(), lr=lr)
    head.train()
    for _ in range(steps):
        optimizer.zero_grad()
        sum(head(seen, targets).values()).backward()
        optimizer.step()
    with torch.no_grad():
        found: ObjectList = head.eval()(seen)
    return found
