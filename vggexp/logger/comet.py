"""``logger=comet``: an experiment in Comet, or an archive in the run folder that can be sent later (extra: comet).

The key comes from COMET_API_KEY or from Comet's own settings file, never from the config. Comet's automatic logging of
code, command line, output and host is off.
"""

import configparser
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import CometLogger
from pytorch_lightning.utilities import rank_zero_only

from vggexp.errors import ConfigError
from vggexp.logger.flat import costs, flat
from vggexp.logger.keep_id import KeepId
from vggexp.logger.run_name import run_name
from vggexp.logger.sheets import Sheets
from vggexp.run_folder import RunFolder

_QUIET: dict[str, Any] = {
    "log_code": False, "parse_args": False, "log_git_metadata": False, "log_git_patch": False, "log_graph": False,
    "log_env_details": False, "auto_output_logging": False, "auto_param_logging": False, "auto_metric_logging": False,
    "auto_log_co2": False, "display_summary_level": 0,
}  # fmt: skip


class Comet(CometLogger):
    """One Comet experiment: the config as parameters, all metrics, the sheets of predictions as images.

    Args:
        save_dir: the run folder; its ``comet/`` holds the archive of an experiment that is offline.
        project, workspace: where the experiment goes.
        mode: "online", "offline", or "auto": online if a key is configured.
        name: of the experiment; None: the path of the run folder below runs/.
        tags: of the experiment.

    Raises:
        ConfigError: ``mode=online`` has no key.
    """

    def __init__(
        self,
        save_dir: Path,
        project: str = "vggexp",
        workspace: str | None = None,
        mode: Literal["auto", "online", "offline"] = "auto",
        name: str | None = None,
        tags: Sequence[str] = (),
    ) -> None:
        if mode == "online" and not has_key():
            raise ConfigError("logger.comet.mode=online needs a key: comet login, or COMET_API_KEY; offline needs none")
        self._may_begin = False
        folder = RunFolder(save_dir)
        self._archive = folder.path.absolute() / "comet"
        super().__init__(
            workspace=workspace,
            project=project,
            mode="create",
            online=mode == "online" or (mode == "auto" and has_key()),
            name=name or run_name(save_dir),
            tags=list(tags),
            offline_directory=str(self._archive),
            **_QUIET,
        )
        self._may_begin = True
        self.callbacks: list[Callback] = [KeepId("comet", self), Sheets(folder, self._picture)]
        """Callbacks that the trainer must run with this logger."""

    def _create_experiment(self) -> None:
        """Begin at the first use: only then is it known whether the run resumes. Lightning begins at once.

        It also disables an experiment that is offline, so that nothing would be written.
        """
        if not self._may_begin:
            return
        import comet_ml

        self._comet_config = comet_ml.ExperimentConfig(**self._kwargs)
        self._archive.mkdir(parents=True, exist_ok=True)
        super()._create_experiment()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue the experiment of a checkpoint; call it before logging anything."""
        self._experiment_key, self._mode = state["id"], "get"

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Log the config as parameters, their keys joined by dots."""
        self.experiment.log_parameters(flat(params if isinstance(params, dict) else vars(params)))

    @rank_zero_only
    def close(self, summary: Mapping[str, Any], error: BaseException | None = None) -> None:
        """Log the costs and end the experiment; one that is offline becomes a zip archive."""
        if self._experiment is None:
            return
        self.experiment.log_metrics(costs(summary), prefix="cost")
        if error is not None:
            self.experiment.log_other("error", type(error).__name__)
        self.experiment.end()
        if self._online is False and error is None:
            for path in sorted(self._archive.glob("*.zip"))[-1:]:
                print(f"Comet, offline: comet upload {os.path.relpath(path)}")

    def _picture(self, split: str, path: Path, step: int) -> None:
        self.experiment.log_image(str(path), name=f"prediction/{split}", step=step)


def has_key() -> bool:
    """Whether a key is configured: in COMET_API_KEY, or in the file that ``comet login`` writes."""
    if os.environ.get("COMET_API_KEY"):
        return True
    path = Path(os.environ.get("COMET_CONFIG", Path.home() / ".comet.config"))
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        return bool(parser.get("comet", "api_key", fallback=""))
    except (configparser.Error, OSError, UnicodeDecodeError):
        return False
