"""Checks which files must exist before a verb starts, and which must not."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.config.check.parts import heads
from vggexp.distributed.whole import check_writable
from vggexp.errors import ConfigError, did_you_mean, require_known
from vggexp.sample.announce import is_kernels
from vggexp.sample.image_files import find_images

Config = Mapping[str, Any]


def check_run(config: Config) -> None:
    """Check that the run folder holds no finished run."""
    for key in ("dir", "name"):
        if not str(config["run"][key]).strip():
            raise ConfigError(f"run.{key} is empty; give a name, or leave it out")
    folder = Path(config["run"]["dir"])
    if folder.absolute() == Path(folder.absolute().anchor):
        raise ConfigError(f"run.dir={folder} is the root of the disk; give a folder for the run")
    if long := next((part for part in folder.parts if len(os.fsencode(part)) > 255 or "\0" in part), None):
        raise ConfigError(f"run.dir: {long[:40]!r}... is no name of a folder; give one of 255 bytes or less")
    if (folder / "summary.json").exists() and not config["run"]["overwrite"]:
        raise ConfigError(f"{folder} holds a finished run; choose another run.dir, or set run.overwrite=true")


_PATHS = ("checkpoint", "checkpoints", "input", "output", "page", "root", "sources", "cache.dir", *(
    f"data.{name}"
    for name in ("root", "images", "masks", "annotations", "table", "yaml", "lists", "split", "cache_dir", "index_dir")
))  # fmt: skip
"""Keys that take a path, or several: an empty one would mean the current folder."""
_READ = ("input", "root", "data.root")
"""Those of a folder that is read with all that is below it."""


def check_paths(config: Config) -> None:
    """ConfigError for the first path that is empty, and for the root of the disk in place of a folder."""
    for key in _PATHS:
        for where in (config, config.get("override", {})):
            for path in _texts_at(where, key):
                if not path.strip():
                    raise ConfigError(f"{key} is empty; give a path, or leave it out")
                if key in _READ:
                    _check_folder(key, Path(path).absolute())


def _check_folder(key: str, path: Path) -> None:
    if path == Path(path.anchor):
        raise ConfigError(f"{key}={path} is the root of the disk; give a folder in it")
    if is_kernels(os.path.realpath(path)):
        raise ConfigError(f"{key}={path} is the system's own, and no photo and no run lies there; give another folder")


def _texts_at(config: Any, key: str) -> list[str]:
    for name in key.split("."):
        config = config.get(name) if isinstance(config, Mapping) else None
    return [one for one in (config if isinstance(config, list) else [config]) if isinstance(one, str)]


def check_places(verb: str, config: Config) -> None:
    """Check that what the verb writes can be written, before torch and the data are loaded."""
    if verb == "train":
        check_writable("run.dir", Path(config["run"]["dir"]))
    elif verb == "predict":
        check_writable("output", Path(str(config["output"])))
    elif output := config.get("output"):
        if verb in _WRITES_FILE and Path(str(output)).is_dir():
            raise ConfigError(f"output={output} is a folder; give the name of a file in it")
        check_writable("output", Path(str(output)) if verb in ("graft", "soup") else Path(str(output)).parent)
    elif verb in _BESIDE:
        run = Path(str(config["checkpoint"]))
        check_writable("checkpoint", run if run.is_dir() else run.parent)
    if isinstance(page := config.get("page"), str):
        if Path(page).is_dir():
            raise ConfigError(f"page={page} is a folder; give the name of a file in it")
        check_writable("page", Path(page).parent)


_WRITES_FILE = ("advise", "archive", "benchmark", "compare", "evaluate", "inspect", "workspace")
"""Verbs whose ``output`` is one file."""
_BESIDE = ("evaluate", "explain", "export", "resume", "verify")
"""Verbs that write into the run folder unless ``output`` names another place."""


def check_weights(config: Config) -> None:
    """Check that the weights of the backbone and the heads exist."""
    _check_source("backbone", config["backbone"], ("same", "vgg_a"))
    for key, head in heads(config).items():
        _check_source(key, head, ("same", "fitting"))


def check_checkpoints(verb: str, config: Config) -> None:
    """Check that the runs that a verb reads exist."""
    one = config.get("checkpoint")
    several = one if isinstance(one, list) else [one]
    if isinstance(one, list) and not one:
        raise ConfigError(f"{verb}: checkpoint=[] names no run")
    listed = config.get("checkpoints", ())
    if isinstance(listed, str):
        raise ConfigError(f"{verb}: checkpoints={listed} is one run; give two or more: checkpoints=[a,b]")
    places = [os.path.realpath(str(each)) for each in listed]
    if verb == "soup" and (twice := next((path for path in places if places.count(path) > 1), None)):
        raise ConfigError(f"soup: {listed[places.index(twice)]} is named twice, so it would count double; name it once")
    if verb in ("resume", "rerun") and os.path.isfile(str(one)):  # noqa: PTH113  Path's raises on names that are too long
        raise ConfigError(f"{verb}: {one} is a file; give the run's folder")
    for checkpoint in (*several, *listed):
        if checkpoint is not None and not os.path.exists(checkpoint):  # noqa: PTH110  Path's raises on long names
            raise ConfigError(
                f"{verb}: there is no {checkpoint}; give a run folder, a .ckpt or an exported .safetensors file"
            )


def check_output(config: Config) -> None:
    """The folder that ``predict`` writes to holds no finished predictions, and there are photos to predict."""
    output = Path(str(config["output"]))
    if (output / "predictions.jsonl").exists() and not config["overwrite"] and not _lacks_photos(output):
        raise ConfigError(f"{output} holds predictions; name another output=FOLDER, or say overwrite=true")
    find_images(config["input"], leave_out=output)


def _lacks_photos(output: Path) -> bool:
    """Whether photos could not be read when these predictions were made: the same command then adds them."""
    try:
        return bool(json.loads((output / "made_by.json").read_text(encoding="utf-8")).get("unread"))
    except (OSError, ValueError, AttributeError):
        return False


def _check_source(key: str, part: Config, maps: tuple[str, ...]) -> None:
    weights = part.get("weights", "none")
    is_word = weights in ("none", "imagenet", None)
    if not is_word and not os.path.exists(str(weights)):  # noqa: PTH110  Path's raises on names that are too long
        near = did_you_mean(str(weights), ("none", "imagenet"))
        raise ConfigError(f"{key}.weights={weights}: no such run folder or file{near}")
    require_known(f"{key}.weights_map", part.get("weights_map", "same"), maps)
