"""The config keys in which runs differ."""

from collections.abc import Sequence

from vggexp.report.runs import Run

SHOWN = ("task", "data", "backbone", "head", "freeze")
"""The config groups that have their own columns."""
_INCIDENTAL = ("run.", "seed", "choice.", "debug", "logger", "callback", "baseline", "test", "trainer.log_every")


def distinguishing(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Config keys whose values the choices and the seed do not determine: key -> one value per run ("" if missing).

    Among keys that some runs lack, such as a part's, only the first of those that split the runs alike counts.
    """
    flats = [run.given for run in runs]
    chosen = [tuple(str(run.choice.get(group)) for group in SHOWN) for run in runs]
    num_chosen = len(set(chosen))
    found: dict[str, list[str]] = {}
    lacking: set[tuple[int, ...]] = set()
    for key in dict.fromkeys(key for one in flats for key in one):
        values = [one.get(key, "") for one in flats]
        if len(set(values)) == 1 or is_incidental(key):
            continue
        if len(set(zip(chosen, values, strict=True))) > num_chosen:
            if "" in values:
                if (apart := _apart(values)) in lacking:
                    continue
                lacking.add(apart)
            found[key] = values
    return found


def _apart(values: Sequence[str]) -> tuple[int, ...]:
    """The pattern of equal values, independent of the values themselves.

    >>> _apart(["x", "y", "x"]) == _apart(["1", "", "1"])
    True
    """
    places: dict[str, int] = {}
    return tuple(places.setdefault(value, len(places)) for value in values)


def is_incidental(key: str) -> bool:
    """Whether a key says only which repeat a run is (its fold), where it is stored or how it is logged."""
    return key == "data.fold" or key.startswith(_INCIDENTAL)
