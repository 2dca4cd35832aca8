"""Which keys of a recorded config take effect in the verbs that apply the run; another one is refused, not ignored.

``rerun`` takes all keys, ``resume`` those of ``config/resumable.py``. Keys that vggexp does not know, such as those of
a class of the user's own, are let through: ``recorded.amend`` knows whether the run has them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vggexp.config.help import groups
from vggexp.config.schema.known import schema
from vggexp.errors import ConfigError

Config = Mapping[str, Any]

TRAINING_ONLY = ("weights", "weights_map", "gives", "smallest", "dropout", "samples", "negatives", "radius")
"""Keys of backbone, head and task without effect: the checkpoint holds the weights, and the others act in training."""
_NETWORK = ("backbone", "head", "task")

_VIEW = ("image_size", "resize", "eval_transform")
_SAMPLES = (
    *_VIEW, "annotations", "batch_size", "border", "box", "canvas", "classes", "colors", "columns", "decode_scale",
    "difficult", "download", "exif", "first_pixel", "fold", "folds", "group", "ignore", "images", "index_dir", "lists",
    "mask_classes", "mask_values", "masks", "objects", "on_error", "root", "seed", "select", "size", "split", "suffix",
    "table", "timeout", "unit", "workers", "yaml",
)  # fmt: skip
"""Keys of data that say which samples a split has, and how they are read."""
_MEMORY = ("channels_last", "keep_memory")
_DEVICE = ("gpus", "precision", *_MEMORY)
_SCORING = (*_DEVICE, "deterministic")
_LIMITS = ("limit_val_batches", "limit_test_batches")
ALL = ("*",)

EFFECTIVE: dict[str, dict[str, tuple[str, ...]]] = {
    "evaluate": {"data": _SAMPLES, "trainer": (*_SCORING, *_LIMITS), "loss": ALL, "baseline": ALL},
    "verify": {"data": _SAMPLES, "trainer": (*_SCORING, *_LIMITS), "loss": ALL},
    "compare": {
        "data": _SAMPLES, "trainer": (*_SCORING, "limit_val_batches"), "loss": ALL, "objective": ALL, "seed": ALL,
    },
    "soup": {
        "data": _SAMPLES, "trainer": (*_SCORING, *_LIMITS), "loss": ALL, "objective": ALL, "seed": ALL,
        "baseline": ALL, "callback": ALL,
    },
    "predict": {"data": (*_VIEW, "decode_scale", "batch_size"), "trainer": _DEVICE},
    "demo": {"data": (*_VIEW, "decode_scale"), "trainer": _DEVICE},
    "explain": {"data": (*_VIEW, "decode_scale"), "trainer": _MEMORY},
    "export": {"data": (*_VIEW, "batch_size"), "trainer": _MEMORY},
}  # fmt: skip
"""By verb, and by group or by key without a group: the keys that take effect. Of a group that is missing none does."""

_WHY = {"run": "{verb} writes into no other run folder", "trainer": "{verb} does not train, and runs in one process"}


def check_effect(verb: str, config: Config) -> None:
    """ConfigError for the first given key of the recorded config that the verb does not read."""
    if verb not in EFFECTIVE:
        return
    for key, value in _leaves(config["override"]):
        if why := without_effect(verb, key, config):
            shown = {"None": "null", "True": "true", "False": "false"}.get(str(value), value)
            raise ConfigError(f"{verb}: {key}={shown} has no effect: {why}; remove it")


def without_effect(verb: str, key: str, config: Config) -> str:
    """Why a key of the recorded config changes nothing in a verb; "" if it takes effect, or if it is not known."""
    group, *names = key.split(".")
    if group == "choice" or not _is_known(group, names):
        return ""
    name = names[2] if names[:1] == ["part"] and len(names) > 2 else (names or [""])[0]
    if group in _NETWORK:
        only = "the run's checkpoint holds its network, and this key matters to a training only"
        return only if name in TRAINING_ONLY else ""
    takes = EFFECTIVE[verb].get(group, ())
    if name.startswith("limit_") and name in takes and verb == "evaluate" and config["split"] not in name:
        return f"it scores split={config['split']}"
    if name in takes or takes == ALL:
        return ""
    return _reason(verb, group, takes)


def _reason(verb: str, group: str, takes: tuple[str, ...]) -> str:
    if takes == _SAMPLES:
        return f"{verb} reads each sample as it is, and keeps none"
    of = f" (of {group}, it reads only {', '.join(takes)})" if takes else ""
    if group == "data":
        return f"{verb} opens no data set, and takes the class names from the run{of}"
    return _WHY.get(group, "{verb} does not train").format(verb=verb) + of


def _is_known(group: str, names: list[str]) -> bool:
    known = schema()
    if group not in ("data", "trainer"):
        return group in groups() or any(entry.split(".")[0] == group for entry in known["verb"]["train"])
    rooms = [entries for target, entries in known["target"].items() if target.startswith(f"vggexp.{group}.")]
    return any(name in entries for entries in (known["group"][group], *rooms) for name in names[:1])


def _leaves(value: Config, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        if isinstance(one, Mapping) and one:
            yield from _leaves(one, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", one
