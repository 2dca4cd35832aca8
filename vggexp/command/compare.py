"""``compare``: how two finished runs differ in features, weights and single photos."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vggexp.command.evaluate import score
from vggexp.command.restore import Restored, restore
from vggexp.config.check import needs
from vggexp.deploy.compare.agreement import agreement, hindrance, recorded
from vggexp.deploy.compare.between import along, barrier
from vggexp.deploy.compare.cka import LEAST, stage_cka
from vggexp.deploy.compare.drift import by_layer, distance, same_shapes, weights
from vggexp.deploy.compare.shots import shots
from vggexp.errors import ConfigError, UserError, one_line
from vggexp.learner.learner import Learner
from vggexp.report.console import console
from vggexp.report.pair.page import write_page
from vggexp.report.pair.tables import print_pair
from vggexp.run_folder import RunFolder, plain, write_whole
from vggexp.sample.contract import Contract
from vggexp.sample.data_contract import open_split
from vggexp.sample.loader import ResumableLoader
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.transfer.average import mismatch
from vggexp.types import Data

Config = Mapping[str, Any]
Pair = tuple[Restored, Restored]
BATCH = 32
"""Images of a batch of which features are compared."""
PHOTOS = 12
"""Gained photos, and lost ones, that the page shows if nobody says how many."""


def run(config: Config) -> int:
    """Print the tables, and write the JSON file and the page."""
    names = _names(config)
    page = Path(str(config["page"])) if config["page"] else None
    first, second = (restore(Path(name), config["override"], config["trust"]) for name in names)
    data = build_data(first.config)
    found: dict[str, Any] = {"runs": names, "left_out": {}}
    _weights(found, (first, second))
    _features(found, (first, second), data, config["images"])
    if config["points"]:
        _line(found, (first, second), data, config)
    pictures = _photos(found, (first, second), data, _shown(config["photos"]) if page else 0)
    out = console()
    print_pair(found, out)
    if config["output"]:
        path = Path(str(config["output"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(plain(found), indent=2) + "\n")
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_page(page, found, pictures)
        out.print(f"{page}", style="bold", soft_wrap=True)
    return 0


def _shown(photos: int | None) -> int:
    return PHOTOS if photos is None else photos


def _names(config: Config) -> list[str]:
    given = config["checkpoints"]
    names = list(map(str, given)) if isinstance(given, list) else [str(given)]
    if len(names) != 2:
        raise ConfigError(f"compare takes two runs, and was given {len(names)}: compare runs/a runs/b")
    if config["points"] in (1, 2):
        raise ConfigError(f"points={config['points']}: the ends alone say nothing of what is between; give 3, or 0")
    if config["images"] < LEAST:
        raise ConfigError(f"images={config['images']}: CKA needs {LEAST} images or more")
    return names


def _weights(found: dict[str, Any], pair: Pair) -> None:
    """``drift``: of each part that both have in the same shape, its distance, and that of its layers."""
    first, second = (weights(one.learner) for one in pair)
    drift, other = {}, []
    for part, tensors in first.items():
        if part in second and same_shapes(tensors, second[part]):
            layers = by_layer(tensors, second[part])
            drift[part] = {"distance": distance(tensors, second[part]), "layers": layers}
        else:
            other.append(part)
    other += [part for part in second if part not in first]
    found["drift"] = drift
    if other:
        found["left_out"]["weights"] = f"{', '.join(other)} {'has' if len(other) == 1 else 'have'} other layers in each"


def _features(found: dict[str, Any], pair: Pair, data: Data, images: int) -> None:
    """``cka``: between the stages, on the first run's validation images."""
    config = pair[0].config
    batched = {**config, "data": {**config["data"], "batch_size": BATCH}}
    learners = [one.learner.to("cpu") for one in pair]
    try:
        cka = stage_cka((learners[0].backbone, learners[1].backbone), _batches(batched, data, "val"), images)
    except (RuntimeError, ValueError) as error:  # a backbone that takes images of one size alone
        found["left_out"]["features"] = f"the second run's backbone cannot take the first run's images ({error})"
        return
    found["cka"] = {"images": cka.images, "values": cka.compute().tolist()}


def _line(found: dict[str, Any], pair: Pair, data: Data, config: Config) -> None:
    """``line``: scores on the validation split at weights between the two runs'."""
    if why := _no_line(pair):
        found["left_out"]["line between the weights"] = why
        return
    first, second = pair
    states = ({name: one.clone() for name, one in first.learner.state_dict().items()}, second.learner.state_dict())
    training = _batches(first.config, data, "train")

    def scores(learner: Learner) -> Mapping[str, float]:
        return score(replace(first, learner=learner), data, "val")

    line = along(first.learner, states, config["points"], training, config["images"], scores)
    metric, mode = first.learner.objective
    line["objective"] = {"metric": metric, "mode": mode}
    for name, how in {metric: mode, "val/loss": "min"}.items():
        values = [one.get(name) for one in line["scores"]]
        if None not in values:
            line.setdefault("barrier", {})[name] = barrier(values, line["share"], how)
    found["line"] = line


def _no_line(pair: Pair) -> str:
    """Why there is no line between two runs' weights; "" if there is one."""
    tasks = [one.config["choice"]["task"] for one in pair]
    if tasks[0] != tasks[1]:
        return f"the runs have other tasks ({tasks[0]}, {tasks[1]})"
    if _class_names(pair[0]) != _class_names(pair[1]):
        return "the runs have other classes"
    why = mismatch(*(one.learner.state_dict() for one in pair))
    return f"the networks differ: {why}" if why else ""


def _class_names(restored: Restored) -> list[tuple[str, ...]]:
    wanted = needs(restored.config)
    classes = [restored.info.classes] if wanted & {"label", "labels", "objects"} else []
    return [*classes, *([restored.info.mask_classes] if "mask" in wanted else [])]


def _photos(found: dict[str, Any], pair: Pair, data: Data, most: int) -> dict[str, list[dict[str, Any]]]:
    """``agreement``: what both runs recorded of the test images; and pictures of the gained and the lost ones."""
    names, folders = found["runs"], [one.folder for one in pair]
    records = [recorded(folder) for folder in folders]
    prints = [RunFolder(folder).read_summary().get("fingerprint", {}).get("test") for folder in folders]
    if why := hindrance(names, records, prints):
        found["left_out"]["single photos"] = why
        return {}
    first, second = (record for record in records if record is not None)
    found["agreement"] = {**agreement(first, second), "pairs": [first["score"], second["score"]]}
    if not most:
        return {}
    try:
        other = build_data(pair[1].config)
        datasets = [open_split(one, "test", needs(run.config)) for one, run in zip((data, other), pair, strict=True)]
        return {kind: shots([one.learner for one in pair], datasets, found["agreement"][kind][:most])
                for kind in ("gained", "lost")}  # fmt: skip
    except UserError as error:
        found["left_out"]["pictures"] = one_line(error)
        return {}


def _batches(config: Config, data: Data, split: str) -> ResumableLoader:
    """The split in one random order, the same at each pass: many data sets are sorted by class."""
    wanted = needs(config)
    dataset, contract = open_split(data, split, wanted), Contract(split, data.info, wanted)
    return build_loader(config, dataset, shuffle=True, contract=contract)
