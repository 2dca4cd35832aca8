"""Names of classes, options and keys that have changed, old to new, and keys that earlier versions did not have.

``renew`` updates the configs of earlier versions' run folders and checkpoints, ``renew_word`` old command line words.
Remove an entry once nobody keeps runs of that age.
"""

import re
from collections.abc import Mapping
from typing import Any

CLASSES = {
    "vggexp.trainer.build_trainer": "vggexp.trainer.default.build_trainer",
    "vggexp.feature_cache.Keeping": "vggexp.cache.settings.CacheSettings",
    "vggexp.callback.wandb_logger.build_logger": "vggexp.logger.wandb.build_logger",
    "vggexp.callback.evidence.Evidence": "vggexp.callback.diagnostics.Diagnostics",
}
KEYS = {
    "constant": "baseline",
    "trainer.meet": "trainer.rendezvous",
    "callback.evidence": "callback.diagnostics",
}
LACKED = {"vggexp.head.faster_rcnn.FasterRCNN": {"stride": 16}}
"""By class, arguments that earlier versions did not have, with what these did: not today's defaults."""
OPTIONS = {"callback": {"evidence": "diagnostics"}}
"""Options by group, old to new."""


def renew(config: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a recorded config with the current names of classes and keys; what is no mapping is not copied.

    >>> renew({"head": {"_target_": "vggexp.head.faster_rcnn.FasterRCNN"}})["head"]["stride"]
    16
    """
    return _renewed(config, "")


def new_key(key: str) -> str:
    """The current name of a dotted key.

    >>> new_key("callback.evidence.count"), new_key("trainer.gpus")
    ('callback.diagnostics.count', 'trainer.gpus')
    """
    for old, new in KEYS.items():
        if key == old or key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return key


def renew_word(word: str) -> str:
    """The current form of a command line word.

    >>> renew_word("constant=false"), renew_word("callback=[prune,evidence]"), renew_word("seed=1")
    ('baseline=false', 'callback=[prune,diagnostics]', 'seed=1')
    """
    sign, key, value = re.fullmatch(r"([+~]*)([^=]*)(.*)", word, re.DOTALL).groups()  # type: ignore[union-attr]
    for old, new in OPTIONS.get(key, {}).items():
        value = re.sub(rf"\b{old}\b", new, value)
    return f"{sign}{new_key(key)}{value}"


_LEAVES = {str, int, float, bool, list, type(None)}
_PARENTS = {old.rpartition(".")[0] for old in KEYS}
"""The mappings that may have a key with an old name: of the others no key is compared, because pages renew 400,000."""


def _renewed(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    found = {
        name: _renewed(value, f"{path}.{name}" if path else name)
        if (kind := type(value)) is dict or (kind not in _LEAVES and isinstance(value, Mapping))
        else value
        for name, value in config.items()
    }
    if isinstance(old := found.get("_target_"), str):
        target = CLASSES.get(old, old)
        found = {**LACKED.get(target, {}), **found, "_target_": target}
    return _with_new_keys(found, path) if path in _PARENTS else found


def _with_new_keys(node: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The node with its own keys renamed, in their order."""
    found = {}
    for name, value in node.items():
        key = f"{path}.{name}" if path else name
        found[KEYS[key].rpartition(".")[2] if key in KEYS else name] = value
    return found
