"""Each run's details: the config that its choices determine, what it trained, its environment, how to repeat it."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vggexp.report.config_keys import SHOWN, is_incidental
from vggexp.report.epoch_ranges import epoch_ranges
from vggexp.report.runs import Run, freeze_rows

LEDGERS = 300
"""Maximum number of runs whose ledger is in the page."""


def details(runs: Sequence[Run], differing: Collection[str]) -> dict[str, Any]:
    """``configs``: the keys that the choices determine, once per combination; ``environments``; ``each`` run's own.

    Args:
        differing: the other keys in which runs differ (``config_keys.distinguishing``); the table of runs has them.
    """
    places: dict[tuple[str, ...], int] = {}
    environments: dict[str, int] = {}
    configs, each = [], []
    for place, run in enumerate(runs):
        chosen = tuple(f"{group}={run.choice.get(group)}" for group in SHOWN)
        if chosen not in places:
            places[chosen] = len(places)
            own = {key: value for key, value in run.keys.items() if key not in differing and not is_incidental(key)}
            configs.append({"name": " ".join(chosen), "keys": list(own.items())})
        each.append([
            places[chosen],
            environments.setdefault(_environment(run.summary), len(environments)),
            run.status.why,
            f"python -m vggexp rerun {shlex.quote(str(run.folder.path))} run.dir=runs/again",
            _ledger(run) if place < LEDGERS else [],
        ])  # fmt: skip
    return {"configs": configs, "environments": list(environments), "each": each}


def _environment(summary: Mapping[str, Any]) -> str:
    if "versions" not in summary:
        return ""
    versions = ", ".join(f"{name} {number}" for name, number in summary["versions"].items())
    commit = f", commit {summary['git_commit']}" if summary.get("git_commit") else ""
    return f"{summary.get('device', '')}, {summary.get('precision', '')}; {versions}{commit}"


def _ledger(run: Run) -> list[list[str]]:
    """One row per part: its parameters, the most of them that trained, in which epochs, and its drift."""
    rows = freeze_rows(run.folder)
    drift = run.summary.get("drift", {})
    epochs = len({row["epoch"] for row in rows})
    found = []
    for part in dict.fromkeys(row["part"] for row in rows):
        own = [row for row in rows if row["part"] == part]
        trained = [int(row["epoch"]) for row in own if int(row["trainable"])]
        most = max(int(row["trainable"]) for row in own)
        far = drift.get(part)
        found.append([
            part,
            f"{int(own[0]['parameters']):,}",
            f"{most:,}",
            epoch_ranges(trained, epochs),
            "-" if far is None else f"{far:.4f}",
        ])  # fmt: skip
    return found
