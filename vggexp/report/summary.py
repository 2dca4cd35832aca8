"""``summary.json``: a run's scores, the baseline's scores, and the run's cost."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from vggexp.callback.stopwatch import Stopwatch
from vggexp.learner.learner import Learner
from vggexp.report.runs import best_row, read_rows
from vggexp.run_folder import RunFolder

_LIBRARIES = ("vggexp", "torch", "torchvision", "pytorch-lightning", "torchmetrics")


def summarize(
    config: Mapping[str, Any], folder: RunFolder, learner: Learner, stopwatch: Stopwatch, test: Mapping[str, float]
) -> dict[str, Any]:
    """The content of summary.json.

    ``metrics`` holds the validation scores of the best epoch and the test scores of its checkpoint; ``baseline`` holds
    the baseline's scores under the same names.
    """
    best = best_row(read_rows(folder), *learner.objective)
    parameters = [parameter for _, parameter in learner.freezing.parameters]
    trained = learner.freezing.trained(config["trainer"]["max_epochs"])
    metrics = {name: value for name, value in best.items() if name.startswith(("train/", "val/"))}
    return {
        "choice": config["choice"],
        "seed": config["seed"],
        "objective": {
            "metric": learner.objective[0],
            "mode": learner.objective[1],
            "value": best.get(learner.objective[0]),
        },
        "epoch": best.get("epoch"),
        "metrics": {**metrics, **test},
        "baseline": learner.baseline,
        **learner.info,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trainable_parameters": sum(p.numel() for p, trains in zip(parameters, trained, strict=True) if trains),
        **stopwatch.cost(),
        "device": stopwatch.device,
        "precision": stopwatch.precision,
        "versions": versions(),
        "git_commit": git_commit(),
    }


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that decide a score."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def git_commit() -> str | None:
    """The commit of the working directory's repository, with "+" for uncommitted changes; None outside a repository."""
    try:
        say = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return say.stdout.strip()
