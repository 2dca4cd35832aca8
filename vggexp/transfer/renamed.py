"""Names of classes, options and keys that have changed: old to new.

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
OPTIONS = {"callback": {"evidence": "diagnostics"}}
"""Options by group, old to new."""


def renew(config: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a recorded config with the current names of classes and keys."""
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


def _renewed(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    found = {}
    for name, value in config.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            value = _renewed(value, f"{key}.")
        elif name == "_target_":
            value = CLASSES.get(value, value)
        found[KEYS[key].rpartition(".")[2] if key in KEYS else name] = value
    return found
