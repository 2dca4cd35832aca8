"""``format=csv``: a row for each setting and score."""

import csv
import io
from collections.abc import Sequence

from vggexp.report.compare import Group
from vggexp.report.paper.results import results

SUFFIX = ".csv"
_HEAD = ("task", "data", "setting", "metric", "n", "mean", "sd", "rank", "p_holm", "baseline", "trained", "seconds")


def text(groups: Sequence[Group]) -> str:
    """The whole file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    for group in groups:
        for column in results(group):
            for setting, entry in zip(group.settings, column.entries, strict=True):
                rank = "" if entry.mean is None else entry.rank + 1
                costs = [setting.cost(name) for name in ("trainable_parameters", "seconds")]
                writer.writerow([
                    group.task, group.data, setting.label, column.score.metric, entry.n, entry.mean, entry.deviation,
                    rank, entry.p, column.score.baseline, *costs,
                ])  # fmt: skip
    return buffer.getvalue()
