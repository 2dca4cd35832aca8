"""Whether runs whose data lie in different folders were trained on the same data, for graft.

A copy of a data set in another place is the same; another one with the same class names is not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError, DataError
from vggexp.sample.data_contract import open_split
from vggexp.sample.files import Files
from vggexp.trainer.network import build_data

Config = Mapping[str, Any]
SPLITS = ("train", "val", "test")


def require_same_data(names: Sequence[str], configs: Sequence[Config], targets: frozenset[str]) -> None:
    """ConfigError unless runs whose data lie in several folders have the same data there.

    They are the same if each split has files of the same names and sizes in the same order.

    Args:
        targets: what the merged run reads.
    """
    roots = [config["data"].get("root") for config in configs]
    for name, root, config in zip(names[1:], roots[1:], configs[1:], strict=True):
        if _path(root) == _path(roots[0]):
            continue
        where = f"graft: data.root is {roots[0]} in {names[0]} and {root} in {name}"
        try:
            first, its = _contents(configs[0], targets), _contents(config, targets)
        except DataError as error:
            raise ConfigError(f"{where}, which cannot be compared: {error}") from error
        for split in SPLITS:
            if first[split] != its[split]:
                raise ConfigError(
                    f"{where}, and their {split} splits hold {len(first[split])} and {len(its[split])} samples with "
                    "other files; only runs on the same data can be merged"
                )


def _path(root: object) -> Path:
    return Path(str(root)).expanduser().resolve()


def _contents(config: Config, targets: frozenset[str]) -> dict[str, list[list[tuple[str, int]]]]:
    """Of each split and sample, the files' names and bytes."""
    still = {"download": False} if "download" in config["data"] else {}
    data, found = build_data({**config, "data": {**config["data"], **still}}), {}
    for split in SPLITS:
        dataset = open_split(data, split, targets)
        if not isinstance(dataset, Files):
            raise DataError(f"data={config['choice']['data']} does not say which files it reads")
        samples = map(dataset.reader.files, range(len(dataset)))
        found[split] = [[(path.name, path.stat().st_size) for path in files] for files in samples]
    return found
