"""Weights & Biases, a mirror of ``metrics.jsonl``: online if a key is configured, offline otherwise, never asking."""

import netrc
import os
from pathlib import Path
from urllib.parse import urlparse

import wandb
from pytorch_lightning.loggers import WandbLogger

_CLOUD = "https://api.wandb.ai"


class OneRun(WandbLogger):
    """Lightning's logger, with an end: a test follows the training, so Lightning itself cannot tell when."""

    def close(self) -> None:
        """End the W&B run, and write or send what is left of it."""
        self.experiment.finish()


def build_logger(
    save_dir: Path, project: str = "vggexp", entity: str | None = None, mode: str = "auto", group: str | None = None
) -> WandbLogger:
    """A Lightning logger for one W&B run, kept under ``save_dir``.

    Args:
        mode: "online", "offline", "disabled", or "auto": online if a key is configured.
        group: runs that belong together, such as a sweep.
    """
    chosen = mode if mode != "auto" else ("online" if has_key() else "offline")
    # Offline runs flush every 15 s by default, so a killed short run would lose everything.
    # A new W&B run each time, or the jobs of a sweep, which share a process, would all log into the first one's.
    settings = wandb.Settings(silent=True, console="off", x_transaction_log_flush_interval=1, reinit="create_new")
    return OneRun(
        name=save_dir.name,
        save_dir=save_dir,
        project=project,
        entity=entity,
        group=group,
        mode=chosen,
        settings=settings,
    )


def has_key() -> bool:
    """Whether an API key is at hand: in WANDB_API_KEY, or where ``wandb login`` puts it, a netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", _CLOUD)).hostname or ""
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    try:
        return path.is_file() and netrc.netrc(path).authenticators(host) is not None
    except (netrc.NetrcParseError, OSError):
        return False
