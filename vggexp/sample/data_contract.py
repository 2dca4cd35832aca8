"""What a data set must offer besides valid samples: class names, splits, and a readable first and last sample.

A user's own data set is checked as far as this module and ``contract`` go, and no further.
"""

from typing import Any

from vggexp.errors import DataError, UserError, kind_and_line
from vggexp.sample.contract import Contract, has_objects, has_truth, kind
from vggexp.sample.reading import Reading
from vggexp.sample.record.problem import stop_at_errors
from vggexp.types import VOID, DataInfo

USES = {
    "train": "learn",
    "val": "choose the best epoch by; give some of its images {}",
    "test": "score; give some of its images {}, or say test=false",
}
"""What a run does with a split's masks or objects, and how to do without."""


def check_data(data: Any) -> None:
    """Raise DataError unless a data set names its classes, each once, and has a method that gives its splits."""
    info = getattr(data, "info", None)
    if not isinstance(info, DataInfo):
        what = "no info" if info is None else f"a {kind(info)} as info"
        raise DataError(f"the data set {kind(data)} has {what}; set self.info = DataInfo(classes, mask_classes)")
    for field in ("classes", "mask_classes"):
        names = getattr(info, field)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise DataError(f"info.{field} of the data set is {names!r}; it must be a tuple of names, text each")
        first: dict[str, int] = {}
        for place, name in enumerate(names):
            if first.setdefault(name, place) != place:
                raise DataError(f"info.{field} of the data set has '{name}' twice, as {first[name]} and as {place}")
    stop_at_errors(getattr(data, "problems", ()))
    if not callable(getattr(data, "split", None)):
        raise DataError(f"the data set {kind(data)} has no method split(name, needs, *, augment=False)")


def open_split(data: Any, split: str, needs: frozenset[str], augment: bool = False) -> Any:
    """A split of a data set; DataError if asking for it fails."""
    try:
        return data.split(split, needs, augment=augment)
    except UserError:
        raise
    except Exception as error:
        raise DataError(
            f"split('{split}', needs, augment={augment}) of the data set {kind(data)} fails: {kind_and_line(error)}; "
            f"debug=true shows where"
        ) from error


def check_ends(contract: Contract, dataset: Any) -> None:
    """Raise DataError unless a split has samples, and its first and last one satisfy the contract."""
    split = contract.split
    for method in ("__len__", "__getitem__"):
        if not hasattr(dataset, method):
            raise DataError(f"split {split} is a {kind(dataset)} without {method}; give a torch Dataset")
    if not len(dataset):
        raise DataError(f"split {split} is empty; every split has at least one sample")
    samples = Reading(dataset, split)
    for place in dict.fromkeys((0, len(dataset) - 1)):
        sample = samples[place]
        contract.check_keys(sample, f"sample {place} of {split}")
        batch = contract.together([sample])
        contract.check(batch)
        if int(batch["index"][0]) != place:
            raise DataError(
                f"index of sample {place} of {split} is {int(batch['index'][0])}; it is the sample's place in "
                f"its split, {place}"
            )


def check_truth(contract: Contract, dataset: Any) -> None:
    """Raise DataError if all masks of a split are void, or no image has an object; reading ends at the first target."""
    samples, use = Reading(dataset, contract.split), USES[contract.split]
    if "mask" in contract.needs and not any(has_truth(samples[place]) for place in range(len(samples))):
        use = use.format("true masks")
        raise DataError(f"every pixel of every mask of {contract.split} is void ({VOID}); there is nothing to {use}")
    if "objects" in contract.needs and not any(has_objects(samples[place]) for place in range(len(samples))):
        use = use.format("objects")
        raise DataError(
            f"no image of {contract.split} shows an object that is to be found (crowds and difficult ones are not); "
            f"there is nothing to {use}"
        )
