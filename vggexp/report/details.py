"""Each run's details: how its config differs, what it trained, its environment, and the command to repeat it."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vggexp.report.compare import SHOWN, distinguishing, flat, is_incidental
from vggexp.report.epoch_ranges import epoch_ranges
from vggexp.report.gallery import anchor
from vggexp.report.runs import Run, freeze_rows

LEDGERS = 300
"""Maximum number of runs whose ledger is in the page."""


def details(runs: Sequence[Run]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The config keys that the choices determine, once per combination; and each run's other details."""
    keys = distinguishing(runs)
    counts = {key: Counter(values) for key, values in keys.items()}
    together: dict[tuple[str, ...], str] = {}
    shared, each = [], []
    for place, run in enumerate(runs):
        chosen = tuple(f"{group}={run.choice.get(group)}" for group in SHOWN)
        if chosen not in together:
            together[chosen] = f"config-{len(together)}"
            own = {key: value for key, value in flat(run.config).items() if key not in keys and not is_incidental(key)}
            shared.append({"id": together[chosen], "name": " ".join(chosen), "keys": list(own.items())})
        differs = [(key, values[place], 2 * counts[key][values[place]] <= len(runs)) for key, values in keys.items()]
        each.append({
            "id": anchor(run.name),
            "name": run.name,
            "summary": f"{run.choice['task']}, freeze={run.choice['freeze']}, seed {run.seed}, {run.status}",
            "why": run.status.why,
            "again": f"python -m vggexp rerun {shlex.quote(str(run.folder.path))} run.dir=runs/again",
            "environment": _environment(run.summary),
            "shared": together[chosen],
            "differs": differs,
            "ledger": _ledger(run) if place < LEDGERS else [],
        })  # fmt: skip
    return shared, each


def _environment(summary: Mapping[str, Any]) -> str:
    if "versions" not in summary:
        return ""
    versions = ", ".join(f"{name} {number}" for name, number in summary["versions"].items())
    commit = f", commit {summary['git_commit']}" if summary.get("git_commit") else ""
    return f"{summary.get('device', '')}, {summary.get('precision', '')}; {versions}{commit}"


def _ledger(run: Run) -> list[dict[str, str]]:
    """One row per part: its maximum of trained parameters, and in which epochs it trained."""
    rows = freeze_rows(run.folder)
    drift = run.summary.get("drift", {})
    epochs = len({row["epoch"] for row in rows})
    found = []
    for part in dict.fromkeys(row["part"] for row in rows):
        own = [row for row in rows if row["part"] == part]
        trained = [int(row["epoch"]) for row in own if int(row["trainable"])]
        most = max(int(row["trainable"]) for row in own)
        far = drift.get(part)
        found.append({
            "part": part,
            "parameters": f"{int(own[0]['parameters']):,}",
            "train": f"{most:,}",
            "epochs": epoch_ranges(trained, epochs),
            "drift": "-" if far is None else f"{far:.4f}",
        })  # fmt: skip
    return found
