"""Two processes that hold different numbers of images and objects score as one does, to the bit."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import distributed

from vggexp.task.metric.objects import ObjectMetrics
from vggexp.types import ObjectList, Objects

FEW, MANY = [5, 2], [0, 1, 3, 4, 6, 7, 8]


def pair(place: int) -> tuple[Objects, Objects]:
    """Of some images the truth is empty, of some the prediction; many scores are equal, so that their order counts."""
    generator = torch.Generator().manual_seed(place)
    count = place % 4
    edges = torch.rand(count, 4, generator=generator) * 20
    edges[:, 2:] += edges[:, :2] + 8
    masks = (torch.rand(count, 40, 40, generator=generator) < 0.9).to(torch.uint8)
    labels = torch.arange(count) % 2
    score = torch.full((count,), 0.75)
    near = edges + 3 * torch.rand(count, 4, generator=generator)
    kept = slice(0, 0) if place == 6 else slice(None)
    return Objects(edges, labels, masks), Objects(near, labels, masks.roll(2, 1), scores=score)[kept]


def scores(places: list[int]) -> dict[str, float]:
    metrics = ObjectMetrics(("a", "b"), masks=True)
    for place in places:
        truth, guess = pair(place)
        batch = {"index": torch.tensor([place]), "objects": ObjectList([truth])}
        metrics.update({"objects": ObjectList([guess])}, batch)  # type: ignore[arg-type]
    return {name: float(value) for name, value in metrics.compute().items()}


def join(rank: int, store: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)


def test_two_processes_score_as_one(tmp_path: Path) -> None:
    alone = scores(sorted(FEW + MANY))
    assert 0 < alone["map"] < 1
    assert alone["segm_voc_ap"] > 0
    store = str(tmp_path / "store")
    path = os.pathsep.join([str(Path(__file__).parents[3]), str(Path(__file__).parent)])
    script = f"import test_objects_processes as t; t.join(1, {store!r}); t.scores(t.FEW)"
    other = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path})
    try:
        join(0, store)
        both = scores(MANY)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
        code = other.wait(timeout=120)
    assert code == 0
    assert {name: str(value) for name, value in both.items()} == {name: str(value) for name, value in alone.items()}
