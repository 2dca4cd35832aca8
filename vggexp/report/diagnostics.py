"""Reads the runs' diagnostics for the page: of each setting, those of the first run that has any."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vggexp.report.compare import Group, Setting
from vggexp.report.runs import Run

SETTINGS = 12
"""Maximum number of settings per group whose diagnostics are in the page."""

_SCORES = {
    "classification": "p(truth)", "localization": "IoU", "multilabel": "F1", "segmentation": "mIoU",
    "detection": "PQ", "instance_segmentation": "PQ",
}  # fmt: skip


@dataclass(frozen=True)
class Diagnostics:
    """One run's ``prediction/test.json``, or ``val.json`` if it is not tested yet."""

    setting: Setting
    run: Run
    content: dict[str, Any]

    @property
    def kinds(self) -> dict[str, Any]:
        """Confusion matrices, curves and histograms, by task."""
        return dict(self.content.get("diagnostics", self.content.get("evidence", {})))  # "evidence" before 2026-11-26

    @property
    def score_name(self) -> str:
        """The name of the score that ranks its images; with several tasks, the mean of their scores."""
        kinds = self.content.get("kinds", [])
        if len(kinds) > 1:
            return "mean score"
        return _SCORES.get(str(kinds[0]), "score") if kinds else "score"

    @property
    def folder(self) -> Path:
        """The folder of its images."""
        return self.run.folder.predictions / str(self.content["split"])


def of_group(group: Group) -> tuple[list[Diagnostics], str]:
    """The settings' diagnostics, and a note if some settings are left out."""
    found: list[Diagnostics] = []
    settings = iter(group.settings)
    for setting in settings:
        if (one := _first(setting)) is not None:
            found.append(one)
        if len(found) == SETTINGS:
            break
    left = len(list(settings))
    return found, f" The first {SETTINGS} of {SETTINGS + left} settings are shown." if left else ""


def _first(setting: Setting) -> Diagnostics | None:
    """The first run with test diagnostics; otherwise the first with validation diagnostics, as unfinished runs have."""
    for name in ("test.json", "val.json"):
        for run in setting.runs:
            if (content := _read(run.folder.predictions / name)) is not None:
                return Diagnostics(setting, run, content)
    return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_whole = (
        isinstance(content, dict) and isinstance(content.get("images"), list) and content.get("split") == path.stem
    )
    return content if is_whole else None
