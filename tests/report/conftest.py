"""Run folders as training leaves them, made up: their numbers mean nothing."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder: a name, and what differs from a segmentation of digits."""

    def make(
        name: str,
        score: float = 0.5,
        *,
        freeze: str = "none",
        seed: int = 1,
        task: str = "segmentation",
        finished: bool = True,
        epochs: int = 3,
        planned: int = 0,
        pruned: bool = False,
        picture: bool = False,
        diagnostics: bool = False,
        **config: Any,
    ) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        metric = {"segmentation": "miou", "localization": "box_iou", "classification": "top1"}[task]
        choice = {"task": task, "data": "digits", "backbone": "vgg16_bn", "head": "unet", "freeze": freeze}
        own = {"optimizer": {"lr": 0.001}, "data": {"classes": None}, "objective": {"metric": metric, "mode": "max"}}
        own["trainer"] = {"max_epochs": planned or epochs}
        whole = {"choice": choice, "seed": seed, "run": {"dir": str(folder)}, **own, **config}
        (folder / "config.yaml").write_text(yaml.safe_dump(whole))
        values = [score * (epoch + 1) / epochs for epoch in range(epochs)]
        rows = [
            {"epoch": epoch, "step": epoch, "time": 1.0, f"val/{metric}": value} for epoch, value in enumerate(values)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        head = "epoch,part,parameters,trainable,learning_rate,weights_start,weights_end,buffers_start,buffers_end\n"
        frozen = 0 if freeze == "backbone" else 90
        lines = [f"{epoch},stage1,90,{frozen},0.1,a,b,c,d\n{epoch},head,10,10,0.1,a,b,c,d\n" for epoch in range(epochs)]
        (folder / "freeze.csv").write_text(head + "".join(lines))
        dice = {"miou": "mdice", "box_iou": "box_dice"}.get(metric)
        metrics = {f"val/{metric}": score, f"test/{metric}": score, **({f"test/{dice}": score} if dice else {})}
        if task == "segmentation":
            metrics |= {
                "test/iou/cat": score,
                "test/dice/cat": score,
                "test/iou/dog": score / 2,
                "test/dice/dog": score,
            }
        summary = {
            "choice": choice, "seed": seed, "objective": {"metric": f"val/{metric}", "mode": "max", "value": score},
            "metrics": metrics, "baseline": {f"{split}/{metric}": 0.1 for split in ("val", "test")}, "parameters": 100,
            "trainable_parameters": frozen + 10,
            "seconds": 10.0 + random.Random(name).random(), "peak_memory_mib": 900.0,
            "drift": {"stage1": 0.0, "head": 0.5},
            "device": "1 x CPU", "precision": "32-true", "versions": {"torch": "2"}, "git_commit": "abc",
        }  # fmt: skip
        if pruned:  # it is not tested
            summary["pruned"] = {"epoch": epochs - 1, "best": score, "runs": 5}
            for name in [name for name in metrics if name.startswith("test/")]:
                del metrics[name]
        if finished:
            (folder / "summary.json").write_text(json.dumps(summary))
        if picture:
            (folder / "prediction").mkdir(exist_ok=True)
            Image.new("RGB", (64, 32), (200, 30, 30)).save(folder / "prediction" / "test.png")
        if diagnostics:
            write_diagnostics(folder / "prediction")
        return folder

    return make


def write_diagnostics(folder: Path, classes: tuple[str, str] = ("cat", "dog")) -> None:
    """Five images of 64 x 32: 0 and 3 fixed, 1 and 2 the worst, 4 the best; labels, boxes and masks."""
    (folder / "test").mkdir(parents=True)
    images = []
    for index, score in enumerate((0.5, 0.1, 0.2, 0.7, 0.9)):
        Image.new("RGB", (64, 32), (40 * index, 90, 90)).save(folder / "test" / f"{index}.webp")
        record: dict[str, Any] = {"index": index, "score": score, "fixed": index in (0, 3), "size": [64, 32]}
        for place, kind in enumerate(("truth", "prediction")):
            mask = Image.new("P", (64, 32), place)
            mask.putpalette([0, 0, 0, 230, 159, 0])
            mask.save(folder / "test" / f"{index}-{kind}.png")
            label = place if index in (1, 2) else 0
            record[kind] = {"label": label, "box": [0.25, 0.25, 0.5, 0.5], "mask": f"{index}-{kind}.png"}
        record["prediction"]["probability"] = 0.75
        images.append({"image": f"{index}.webp", **record})
    curve = {"recall": [0.0, 1.0], "precision": [1.0, 0.5], "average_precision": 0.5}
    kinds = {
        "classification": {"classes": list(classes), "confusion": [[3, 1], [0, 0]], "curve": [curve, None]},
        "localization": {"histogram": [0] * 15 + [1, 2, 3, 4, 5]},
        "segmentation": {"classes": list(classes), "confusion": [[90, 10], [20, 80]]},
    }
    names = {"classes": list(classes), "mask_classes": list(classes)}
    content = {"split": "test", "kinds": list(kinds), **names, "extremes": 2, "diagnostics": kinds, "images": images}
    (folder / "test.json").write_text(json.dumps(content))
