"""A W&B workspace that compares IoU and Dice by freeze policy: each line is the mean of the runs of one policy."""

from typing import Any

import wandb
import wandb_workspaces.reports.v2.interface as panels
import wandb_workspaces.workspaces as ws
from wandb.errors import CommError

from vggexp.errors import ConfigError, DataError
from vggexp.logger.wandb import STEP, has_key

FREEZE = "choice.freeze"
"""The config key that groups the runs."""
PAIRS = (("box_iou", "box_dice"), ("miou", "mdice"))
"""IoU beside Dice: of boxes, of masks."""
OTHERS = ("top1", "score")
COSTS = (("trainable_parameters", "parameters trained"), ("seconds", "seconds"), ("peak_memory_mib", "memory, MiB"))


def build(project: str, entity: str, name: str) -> Any:
    """The workspace, as an object to publish or to write."""
    return ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[_learning(), _results(), _costs(), _settings(), _pictures()],
        settings=ws.WorkspaceSettings(x_axis=STEP, max_runs=100),
        runset_settings=ws.RunsetSettings(
            groupby=[ws.Config(FREEZE)],
            pinned_columns=["config:seed", "summary:test/box_iou", "summary:test/miou"],
        ),
        auto_generate_panels=True,  # add panels for everything else that the runs have logged
    )


def definition(workspace: Any) -> dict[str, Any]:
    """The published definition, in JSON types."""
    found: dict[str, Any] = workspace._to_model().model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def publish(workspace: Any) -> str:
    """Save the workspace as a new view of its project, and return its URL.

    Raises:
        ConfigError: no key is configured.
        DataError: W&B refuses the workspace, or does not answer.
    """
    if not has_key():
        raise ConfigError("publishing needs a W&B key: wandb login, or WANDB_API_KEY; output=FILE.json needs none")
    try:
        workspace.entity = workspace.entity or wandb.Api().default_entity or ""
        return str(workspace.save().url)
    except (CommError, OSError, ValueError) as error:
        raise DataError(f"W&B refused the workspace, or did not answer: {' '.join(str(error).split())}") from error


def _learning() -> Any:
    metrics = [metric for pair in PAIRS for metric in pair] + list(OTHERS)
    lines = [
        panels.LinePlot(
            title=f"{metric}, validation",
            x=STEP,
            y=[f"val/{metric}"],
            range_y=(0, 1),
            title_x="steps",
            groupby=panels.Config(FREEZE),
            groupby_aggfunc="mean",
            groupby_rangefunc="minmax",
            max_runs_to_show=100,
        )
        for metric in metrics
    ]
    return _section("IoU and Dice during training", lines, columns=2)


def _results() -> Any:
    bars = [
        panels.BarPlot(
            title=f"{metric}, test",
            metrics=[f"test/{metric}"],
            range_x=(0, 1),
            groupby=panels.Config(FREEZE),
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
            max_runs_to_show=100,
        )
        for pair in PAIRS
        for metric in pair
    ]
    points = [
        panels.ScatterPlot(
            title=f"{iou} against {dice}, test",
            x=panels.SummaryMetric(f"test/{iou}"),
            y=panels.SummaryMetric(f"test/{dice}"),
            range_x=(0, 1),
            range_y=(0, 1),
        )
        for iou, dice in PAIRS
    ]
    return _section("IoU and Dice on the test split", [*bars, *points], columns=2)


def _costs() -> Any:
    points = [
        panels.ScatterPlot(
            title=f"{metric} by {title}",
            x=panels.SummaryMetric(cost),
            y=panels.SummaryMetric(f"test/{metric}"),
            log_x=cost == "trainable_parameters",
            range_y=(0, 1),
        )
        for metric in ("box_iou", "miou")
        for cost, title in COSTS
    ]
    return _section("Cost", points, columns=3)


def _settings() -> Any:
    column = panels.ParallelCoordinatesPlotColumn
    plots = [
        panels.ParallelCoordinatesPlot(
            title=f"settings and {metric}",
            columns=[
                column(panels.Config(FREEZE), display_name="freeze"),
                column(panels.Config("optimizer.lr"), display_name="learning rate", log=True),
                column(panels.SummaryMetric(f"test/{metric}"), display_name=metric),
            ],
        )
        for metric in ("box_iou", "miou")
    ]
    return _section("Freeze policy by learning rate", plots, columns=2)


def _pictures() -> Any:
    keys = ("image/val", "image/worst", "image/best")
    browsers = [panels.MediaBrowser(title=key, media_keys=[key], num_columns=4) for key in keys]
    return _section("Truth and prediction", browsers, columns=1)


def _section(name: str, content: list[Any], columns: int) -> Any:
    rows = -(-len(content) // columns)
    return ws.Section(
        name=name,
        panels=content,
        is_open=True,
        layout_settings=ws.SectionLayoutSettings(columns=columns, rows=rows),
    )
