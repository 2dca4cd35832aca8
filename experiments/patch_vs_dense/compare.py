"""Segmentations of several finished runs on one data set, as one picture and one table.

    python experiments/patch_vs_dense/compare.py runs/onebudget/patch runs/onebudget/fcn ... --split val

The picture has a row for each image and a column for each run, beside image and truth; below each column stand the
run's scores, its training's seconds and what a forward pass of one image takes. The images are spread over the split.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import to_pil_image

from vggexp.command.restore import Restored, restore
from vggexp.sample.data_contract import open_split
from vggexp.task import drawing
from vggexp.trainer.network import build_data

GAP = 6
"""Pixels between two images."""


def main(words: list[str]) -> int:
    """Write the picture, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=Path("one_budget.webp"))
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--split", default="test", choices=("val", "test"))
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    restored = {path.name: restore(path, {}) for path in given.runs}
    first = next(iter(restored.values()))
    images = open_split(build_data(first.config), given.split, frozenset({"mask"}))
    samples = [images[place * len(images) // given.images] for place in range(given.images)]
    cells = [[drawing.legible(one["image"]), shown(first, one["image"], one["mask"])] for one in samples]
    captions = ["image", "truth"]
    print(f"| network | {given.split} mIoU | mDice | training, s | an image, ms | parameters |")
    print("|---|---:|---:|---:|---:|---:|")
    for path, (name, run) in zip(given.runs, restored.items(), strict=True):
        summary = json.loads((path / "summary.json").read_text())
        milliseconds = 1e3 * seconds(run, samples[0]["image"])
        scores = [summary["metrics"][f"{given.split}/{kind}"] for kind in ("miou", "mdice")]
        row = (*scores, summary["seconds"], milliseconds, summary["parameters"])
        print("| {} | {:.3f} | {:.3f} | {:.0f} | {:.1f} | {:,} |".format(name, *row))
        captions.append("{}: mIoU {:.2f}, Dice {:.2f}, {:.0f} s of training, {:.0f} ms an image".format(name, *row[:4]))
        for line, one in zip(cells, samples, strict=True):
            line.append(shown(run, one["image"], predicted(run, one["image"])))
    cells[-1] = [drawing.caption(cell, text) for cell, text in zip(cells[-1], captions, strict=True)]
    rows = [functional.pad(drawing.grid(line, columns=len(line), gap=GAP), (0, 0, 0, GAP), value=255) for line in cells]
    to_pil_image(torch.cat(rows, 1)).save(given.output, quality=85)
    return 0


def predicted(run: Restored, image: Tensor) -> Tensor:
    """The mask (H, W) of one image (3, H, W)."""
    with torch.inference_mode():
        mask: Tensor = run.learner.task.predict(run.learner(image[None]))["mask"][0]
    return mask


def shown(run: Restored, image: Tensor, mask: Tensor) -> Tensor:
    """The mask's colours over the image."""
    return drawing.blend_mask(drawing.legible(image), mask, len(run.info.mask_classes))


def seconds(run: Restored, image: Tensor, repeats: int = 5) -> float:
    """The processor's time for one image, the shortest of several."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        predicted(run, image)
        times.append(time.process_time() - begun)
    return min(times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
