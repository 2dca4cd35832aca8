"""What TensorBoard, MLflow and Comet keep of a run, read back from each one's own store without a network."""

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Train = Callable[..., Path]
SMALL = ("head.hidden=8", "head.pool=1", "trainer.max_epochs=2", "freeze=backbone")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "COMET_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COMET_CONFIG", "none")
    monkeypatch.setenv("NETRC", "none")


def logged(folder: Path, metric: str) -> list[float]:
    """The values of a metric in metrics.jsonl, the source that all loggers mirror."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row[metric] for row in rows if metric in row]


def seconds(folder: Path) -> float:
    return float(json.loads((folder / "summary.json").read_text())["seconds"])


@pytest.mark.slow
def test_tensorboard(train_tiny: Train) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    folder = train_tiny(*SMALL, "logger=[tensorboard,csv]")  # two at once
    assert (folder / "csv" / "metrics.csv").exists()
    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    for metric in ("train/loss", "val/top1", "val/f1/3", "test/top1"):
        assert [event.value for event in found.Scalars(metric)] == pytest.approx(logged(folder, metric))
    assert found.Scalars("cost/seconds")[0].value == pytest.approx(seconds(folder))
    for split in ("val", "test"):
        (image,) = found.Images(f"prediction/{split}")
        assert image.encoded_image_string.startswith(b"\x89PNG")
    data = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    parameters = HParamsPluginData.FromString(data).session_start_info.hparams
    assert parameters["choice.freeze"].string_value == "backbone"
    assert parameters["optimizer.lr"].number_value > 0
    data = found.SummaryMetadata("_hparams_/experiment").plugin_data.content
    names = [one.name.tag for one in HParamsPluginData.FromString(data).experiment.metric_infos]
    assert names == ["val/top1", "test/top1"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what it imports
def test_mlflow(train_tiny: Train, vggexp: Any) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    folder = train_tiny(*SMALL, "logger=mlflow", name="runs/s/one")
    client = MlflowClient("sqlite:///runs/mlflow.db")
    (experiment,) = [one for one in client.search_experiments() if one.name == "vggexp"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("s/one", "FINISHED")
    assert run.data.params["choice.freeze"] == "backbone"
    assert (run.data.tags["freeze"], run.data.tags["task"]) == ("backbone", "classification")
    for metric in ("train/loss", "val/top1", "test/top1"):
        history = client.get_metric_history(run.info.run_id, metric)
        assert [one.value for one in history] == pytest.approx(logged(folder, metric))
    assert run.data.metrics["cost/seconds"] == pytest.approx(seconds(folder))
    files = {path.name for path in Path("runs/mlflow").rglob("*.png")}
    assert files == {"val.png", "test.png"}
    # A resumed run goes on in the same MLflow run.
    assert vggexp("resume", str(folder), "trainer.max_epochs=3")[0] == 0
    (run,) = client.search_runs([experiment.experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "val/top1")) == 3
    assert run.info.status == "FINISHED"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what it imports
def test_comet(train_tiny: Train) -> None:
    pytest.importorskip("comet_ml")
    folder = train_tiny(*SMALL, "logger=comet")
    (archive,) = (folder / "comet").glob("*.zip")
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
        messages = [json.loads(line) for line in file.read("messages.json").decode().splitlines()]
        text = " ".join(names) + file.read("messages.json").decode()
    metrics = [one["payload"]["metric"] for one in messages if one["payload"].get("metric")]
    for metric in ("train/loss", "val/top1", "test/top1"):
        values = [one["metricValue"] for one in metrics if one["metricName"] == metric]
        assert [float(value) for value in values] == pytest.approx(logged(folder, metric))
    (cost,) = [one for one in metrics if one["metricName"] == "cost_seconds"]
    assert float(cost["metricValue"]) == pytest.approx(seconds(folder))
    assert "choice.freeze" in text
    assert "prediction/test" in text
    assert math.isfinite(float(cost["metricValue"]))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("logger=mlflow", "logger.mlflow.tracking_uri=http://me:word@host:5000"), "holds a password"),
        (("logger=comet", "logger.comet.mode=online"), "needs a key"),
        (("logger=comet", "logger.comet.mode=sometimes"), "sometimes"),
    ],
)
def test_what_cannot_be_logged_is_said(words: tuple[str, ...], says: str, tiny: Any) -> None:
    code, _, errors = tiny("head=linear", *words, "run.dir=run")
    assert code == 2
    assert says in errors
    assert "me:word" not in errors
    assert not Path("run/metrics.jsonl").exists()


def test_a_missing_extra_says_how_to_install_it(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("mlflow", "MLFlowLogger"), ("comet", "CometLogger")):

        def missing(*_: object, **__: object) -> None:
            raise ModuleNotFoundError("it is not there")

        monkeypatch.setattr(f"pytorch_lightning.loggers.{kind}.__init__", missing)
        code, _, errors = tiny("head=linear", f"logger={name}", f"run.dir={name}")
        assert (code, errors) == (
            2, f"vggexp: error: logger={name} is not installed; pip install 'vggexp[{name}]'\n"
        )  # fmt: skip
