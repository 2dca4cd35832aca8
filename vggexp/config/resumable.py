"""The keys that ``resume`` can change: they take effect from the next step on. The others belong to the checkpoint."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.compose import dotted_keys
from vggexp.errors import ConfigError

_EFFECTIVE = (
    "trainer.gpus", "trainer.processes", "trainer.nodes", "trainer.rendezvous", "trainer.strategy", "trainer.precision",
    "trainer.sync_batchnorm", "trainer.compress", "trainer.bucket_mb", "trainer.compile", "trainer.channels_last",
    "trainer.keep_memory", "trainer.max_epochs", "trainer.clip", "trainer.val_every", "trainer.log_every",
    "trainer.save_every", "trainer.save_minutes", "trainer.deterministic", "trainer.limit_val_batches",
    "trainer.limit_test_batches", "trainer.early_stopping", "trainer.on_nan", "data.root", "data.workers",
    "data.timeout", "data.cache", "data.cache_max_gb",
    "data.cache_dir", "data.index_dir", "cache",
    "callback", "logger", "test", "debug",
)  # fmt: skip
"""Keys and groups that take effect in a resumed run."""

_REASONS = {
    "optimizer": "the checkpoint holds the optimizer's rates and state",
    "scheduler": "the checkpoint holds the schedule's state",
    "backbone": "the checkpoint holds the weights of the network that the run began with",
    "head": "the checkpoint holds the weights of the network that the run began with",
    "objective": "the best epoch so far was chosen by the objective that the run began with",
    "run": "a run goes on in its own folder",
}
"""Why the keys of a group cannot change; of the others ``_ANY`` is the reason."""
_ANY = "its epochs so far were trained with another value"


def check_changes(recorded: Mapping[str, Any], changes: Mapping[str, Any], folder: object) -> None:
    """ConfigError for the first change of a key that a resumed run would ignore, or that its checkpoint contradicts."""
    for key in dotted_keys(changes, leaves=True):
        # Other options come as "choice.<group>": config/route.py lets only those of effective groups through.
        is_effective = key.startswith("choice.") or any(key == one or key.startswith(f"{one}.") for one in _EFFECTIVE)
        if is_effective or _value(recorded, key) == _value(changes, key):
            continue
        why = _REASONS.get(key.partition(".")[0], _ANY)
        word = f"{key}={_value(changes, key)}"
        raise ConfigError(
            f"resume cannot change {key}: {why}; for a new run: python -m vggexp rerun {folder} {word} run.dir=..."
        )


def _value(config: Any, key: str) -> Any:
    for name in key.split("."):
        config = config.get(name) if isinstance(config, Mapping) else None
    return config
