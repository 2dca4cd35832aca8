"""``verify``: evaluate a finished run again, and say whether its recorded figures hold here."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vggexp.command.evaluate import check_names, score
from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.errors import ConfigError, DataError
from vggexp.report.summary import versions
from vggexp.run_folder import RunFolder
from vggexp.sample.data_contract import open_split
from vggexp.sample.fingerprint import fingerprint
from vggexp.trainer.network import build_data
from vggexp.types import Data

Figures = Mapping[str, Any]


def run(config: Mapping[str, Any]) -> int:
    """Print each figure that differs, and what else differs from the run's record. 0 if all figures hold, else 1."""
    path = Path(config["checkpoint"])
    summary = _summary(path)
    restored = restore(path, config["override"], config["trust"])
    data = build_data(restored.config)
    check_names(str(path), restored, data)
    count, wrong = 0, []
    for split in ("val", "test"):
        recorded = {name: value for name, value in summary["metrics"].items() if name.startswith(f"{split}/")}
        if not recorded:
            continue
        now = score(restored, data, split)
        count += len(recorded)
        wrong += list(differences(recorded, now, config["tolerance"]))
    if not count:
        raise DataError(f"{path} records no figures of val or test, so there is nothing to verify")
    print(*wrong, *_circumstances(summary, restored, data), sep="\n")
    held = count - len(wrong)
    print(f"{path}: {held} of {count} figures hold, to {config['tolerance']:g}")
    return 1 if wrong else 0


def _summary(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise ConfigError(f"verify: {path} is a file; give the folder of a finished run")
    if not (summary := RunFolder(path).read_summary()).get("metrics"):
        raise DataError(f"{path} has no figures yet: it is not finished; python -m vggexp resume {path}")
    return summary


def differences(recorded: Figures, now: Figures, tolerance: float) -> Iterator[str]:
    """A line for each figure that is not the recorded one.

    >>> list(differences({"test/top1": 0.5, "test/loss": None}, {"test/top1": 0.75, "test/loss": float("nan")}, 0.1))
    ['test/top1: recorded 0.5, now 0.75']
    """
    for name, value in recorded.items():
        before, after = (math.nan if one is None else float(one) for one in (value, now.get(name)))
        same = math.isnan(before) and math.isnan(after)
        if not (same or abs(before - after) <= tolerance * max(1.0, abs(before))):
            missing = "" if name in now else " (it is not computed any more)"
            yield f"{name}: recorded {before:.6g}, now {after:.6g}{missing}"


def _circumstances(summary: Mapping[str, Any], restored: Restored, data: Data) -> Iterator[str]:
    """A line on the versions and one on the data: the same, or what is different."""
    now, then = versions(), summary.get("versions", {})
    changed = [f"{name} {then.get(name, '?')} then, {own} now" for name, own in now.items() if then.get(name) != own]
    yield "versions: " + ("; ".join(changed) or ", ".join(f"{name} {own}" for name, own in now.items()))
    recorded = summary.get("fingerprint", {})
    for split, before in recorded.items():
        after = fingerprint(open_split(data, split, needs(restored.config)))
        yield f"data, {split}: " + (
            f"the run's ({after})" if before == after else f"not the run's: {before} -> {after}"
        )
    if not recorded:
        yield "data: the run recorded no fingerprint"
