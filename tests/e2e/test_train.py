"""The whole program on a few digits: what a run leaves behind, and that it can be repeated, scored and applied."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from vggexp.task.drawing import save
from vggexp.transfer.checkpoint import read_checkpoint

SMALL = {
    "classification": ("head.hidden=8", "head.pool=1"),
    "localization": ("task=localization", "head.hidden=[8]", "head.pool=1"),
    "multitask": (
        "task=multitask", "task.parts=[classification,localization,segmentation]", "head.part.classification.hidden=8",
        "head.part.classification.pool=1", "head.part.localization.hidden=[8]", "head.part.localization.pool=1",
    ),
    "segmentation": ("task=segmentation",),
}  # fmt: skip
HEADLINE = {"classification": "top1", "localization": "box_iou", "multitask": "score", "segmentation": "miou"}

Train = Callable[..., Path]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = read_checkpoint(folder / "checkpoint" / "last.ckpt")["state_dict"]
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        save(torch.randint(0, 256, (3, 50, 70), dtype=torch.uint8), tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("task", SMALL)
def test_a_run_from_training_to_prediction(task: str, train_tiny: Train, vggexp: Any, photos: Path) -> None:
    folder = train_tiny(*SMALL[task])
    for name in ("config.yaml", "metrics.jsonl", "summary.json", "checkpoint/best.ckpt", "checkpoint/last.ckpt"):
        assert (folder / name).exists()
    assert (folder / "prediction" / "test.png").stat().st_size > 1000
    summary = json.loads((folder / "summary.json").read_text())
    for split in ("val", "test"):
        name = f"{split}/{HEADLINE[task]}"
        assert 0 <= summary["metrics"][name] <= 1
        assert 0 <= summary["baseline"][name] <= 1

    code, out, errors = vggexp("evaluate", str(folder), "trainer.limit_test_batches=1")
    assert code == 0, errors
    scores = json.loads((folder / "evaluation-test.json").read_text())
    assert scores["metrics"][f"test/{HEADLINE[task]}"] == pytest.approx(summary["metrics"][f"test/{HEADLINE[task]}"])
    assert scores["baseline"] == {k: v for k, v in summary["baseline"].items() if k.startswith("test/")}
    assert "baseline" in out

    (photos / "broken.jpg").write_bytes(b"no image")
    code, out, _ = vggexp("predict", str(folder), str(photos), "output=out")
    assert code == 1
    assert "not read:" in out
    assert "broken.jpg" in out
    rows = [json.loads(line) for line in Path("out/predictions.jsonl").read_text().splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png"]
    for row in rows:
        assert (Path("out") / row["overlay"]).exists()
        assert task in ("localization", "segmentation") or row["class"] in "0123456789"
        assert "box" not in row or len(row["box"]) == 4
        assert "mask" not in row or (Path("out") / row["mask"]).exists()


def test_metrics_are_rows_with_step_epoch_and_time(train_tiny: Train) -> None:
    folder = train_tiny(*SMALL["classification"], "trainer.max_epochs=2")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all({"step", "epoch", "time"} <= row.keys() for row in rows)
    assert [row["epoch"] for row in rows if "val/top1" in row] == [0, 1]
    assert sum("train/loss" in row for row in rows) == 2


def test_one_seed_gives_identical_weights_and_another_seed_others(train_tiny: Train) -> None:
    first, again, other = (
        weights(train_tiny(*SMALL["classification"], f"seed={seed}", name=name))
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["backbone.features.0.weight"], other["backbone.features.0.weight"])


def test_config_yaml_is_enough_to_run_again(train_tiny: Train, vggexp: Any) -> None:
    first = train_tiny(*SMALL["classification"], name="first")
    code, _, errors = vggexp("rerun", str(first), "run.dir=second")
    assert code == 0, errors
    a, b = weights(first), weights(Path("second"))
    assert all(torch.equal(a[name], b[name]) for name in a)
    code, _, errors = vggexp("rerun", str(first), "run.dir=third", "optimizer.lrr=1")
    assert code == 2
    assert "the run's config has no key 'optimizer.lrr'; did you mean 'optimizer.lr'?" in errors


def test_the_config_holds_only_plain_resolved_values(train_tiny: Train) -> None:
    text = (train_tiny(*SMALL["classification"]) / "config.yaml").read_text()
    assert "${" not in text
    assert yaml.safe_load(text)["choice"]["task"] == "classification"


def test_a_run_is_not_overwritten_unasked_and_survives_a_failing_successor(train_tiny: Train, vggexp: Any) -> None:
    folder = train_tiny(*SMALL["classification"])
    before = (folder / "summary.json").read_bytes()
    assert vggexp(f"run.dir={folder}")[0] == 2
    code, _, errors = vggexp(f"run.dir={folder}", "run.overwrite=true", "data=pets", "data.root=nowhere")
    assert code == 1
    assert "nowhere" in errors
    assert (folder / "summary.json").read_bytes() == before
    train_tiny(*SMALL["classification"], "seed=2", "run.overwrite=true")
    assert (folder / "summary.json").read_bytes() != before


def test_the_baseline_knows_only_the_training_targets(train_tiny: Train) -> None:
    summary = json.loads((train_tiny(*SMALL["classification"]) / "summary.json").read_text())
    from vggexp.data.digits import Digits

    train, val = (
        torch.tensor([int(sample["label"]) for sample in Digits(32, (16, 30)).split(name, frozenset({"label"}))])
        for name in ("train", "val")
    )
    most_frequent = int(train.bincount().argmax())
    expected = (val[:32] == most_frequent).float().mean().item()
    assert summary["baseline"]["val/top1"] == pytest.approx(expected)


def test_frozen_backbone_is_bit_identical_after_training(train_tiny: Train) -> None:
    folder = train_tiny("task=localization", "head.hidden=[8]", "head.pool=1", "freeze=stage", "freeze.stages=2")
    one, more = (
        weights(f)
        for f in (folder, train_tiny("task=localization", "head.hidden=[8]", "head.pool=1", "freeze=stage",
                                     "freeze.stages=2", "trainer.max_epochs=2", name="more"))
    )  # fmt: skip
    frozen = [name for name in one if name.startswith(("backbone.features.0.", "backbone.features.1.",
                                                       "backbone.features.4.", "backbone.features.5."))]  # fmt: skip
    assert len(frozen) == 14
    assert all(torch.equal(one[name], more[name]) for name in frozen)
    assert not torch.equal(one["backbone.features.8.weight"], more["backbone.features.8.weight"])


@pytest.mark.parametrize(
    "words",
    [
        ("trainer.ema=0.9",), ("trainer.clip=0.1", "optimizer=sgd"), ("trainer.accumulate=2",),
        ("trainer.early_stopping=1",), ("trainer.channels_last=false",),
        ("trainer.overfit_batches=1", "trainer.limit_train_batches=1.0", "trainer.limit_val_batches=1.0"),
        ("trainer.precision=bf16-mixed", "trainer.clip=1.0"), ("scheduler=plateau", "scheduler.warmup=1"),
        ("loss.class_weight=median_frequency", "loss.label_smoothing=0.1"), ("test=false", "baseline=false"),
        ("logger=[csv,tensorboard]",), ("callback=[]",), ("optimizer=adam", "scheduler=cosine"),
    ],
)  # fmt: skip
def test_settings_of_the_trainer(words: tuple[str, ...], train_tiny: Train) -> None:
    folder = train_tiny(*SMALL["classification"], *words)
    assert (folder / "summary.json").exists()
    if words[0].startswith("logger"):
        assert (folder / "csv" / "metrics.csv").exists()
        assert any((folder / "tensorboard").rglob("events.*"))


def test_ema_is_what_is_kept(train_tiny: Train) -> None:
    plain, averaged = (
        weights(train_tiny(*SMALL["classification"], *words, name=name))
        for words, name in (((), "plain"), (("trainer.ema=0.5",), "averaged"))
    )
    assert not torch.equal(plain["head.classifier.0.weight"], averaged["head.classifier.0.weight"])


def test_report_lists_the_runs(train_tiny: Train, vggexp: Any) -> None:
    train_tiny(*SMALL["classification"], name="runs/one")
    train_tiny(*SMALL["localization"], name="runs/two")
    code, out, _ = vggexp("report", "runs")
    assert code == 0
    assert "test/top1" in out
    assert "test/box_iou" in out
    assert "runs/report.html" in out
    page = Path("runs/report.html").read_text(encoding="utf-8")
    assert page.count('<div class="strips">') == 2  # each run's pictures
    code, _, errors = vggexp("report", "nowhere")
    assert code == 1
    assert "nowhere is no folder" in errors


def test_summary_of_the_papers_net_and_of_a_run(train_tiny: Train, vggexp: Any) -> None:
    code, out, _ = vggexp("summary", "backbone=vgg16")
    assert code == 0
    for number in ("38,592", "259,776", "1,734,336", "7,632,576", "14,710,464", "134,248,128", "138,344,128"):
        assert number in out
    assert "138,357,544 parameters" in out
    folder = train_tiny("task=localization", "head.hidden=[8]", "head.pool=1", "freeze=backbone")
    code, out, _ = vggexp("summary", str(folder))
    assert code == 0
    assert "yes" in out


def test_wandb_goes_offline_without_a_key_and_never_asks(train_tiny: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "none")
    for name in ("one", "two"):  # in one process, as in a sweep: each has a W&B run of its own
        folder = train_tiny(*SMALL["classification"], "logger=wandb", name=name)
        (log,) = (folder / "wandb").glob("offline-run-*/*.wandb")
        assert b"test/top1" in log.read_bytes()


def test_ctrl_c_ends_with_130_and_keeps_what_was_written(train_tiny: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.__main__ import enter
    from vggexp.learner.learner import Learner

    def interrupted(self: Learner) -> None:
        if self.current_epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "on_train_epoch_start", interrupted)
    folder = train_tiny(*SMALL["classification"], name="whole")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["trainer"]["max_epochs"] == 1
    assert enter(["rerun", "whole", "run.dir=cut", "trainer.max_epochs=3"]) == 130
    assert not Path("cut/summary.json").exists()
    assert weights(Path("cut"))
    assert sum("val/top1" in line for line in Path("cut/metrics.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("head=linear", "loss=focal"),
        ("task=localization", "head=box_per_class", "head.hidden=[8]", "head.pool=1", "loss=giou"),
        ("task=localization", "head.hidden=[8]", "head.pool=1", "loss=smooth_l1", "task.format=center"),
        ("task=segmentation", "head=fcn", "head.hidden=8", "loss=dice"),
        ("task=segmentation", "head=fcn", "head.stride=32", "head.hidden=8", "loss=lovasz"),
        ("task=segmentation", "head=deconvnet", "head.hidden=8", "head.window=1", "loss.class_weight=median_frequency"),
        ("task=multitask", "head@head.part.classification=linear", "head.part.localization.hidden=[8]",
         "head.part.localization.pool=1", "loss@loss.part.localization=giou"),
    ],
)  # fmt: skip
def test_every_head_and_loss_trains_and_predicts(
    words: tuple[str, ...], train_tiny: Train, vggexp: Any, photos: Path
) -> None:
    folder = train_tiny(*words)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(row["train/loss"] > 0 for row in rows if "train/loss" in row)
    assert vggexp("predict", str(folder), str(photos), "output=out")[0] == 0
    row = json.loads(Path("out/predictions.jsonl").read_text().splitlines()[0])
    assert ("head=box_per_class" in words) == (len(row.get("box_per_class", {})) == 10)


def test_a_missing_extra_says_how_to_install_it(vggexp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("Neither `tensorboard` nor `tensorboardX` is available.")

    monkeypatch.setattr("pytorch_lightning.loggers.TensorBoardLogger.__init__", missing)
    code, _, errors = vggexp("logger=tensorboard", "backbone.width=0.05", "head.hidden=8", "run.dir=run")
    assert code == 2
    assert errors == "vggexp: error: logger=tensorboard is not installed; pip install 'vggexp[tensorboard]'\n"
