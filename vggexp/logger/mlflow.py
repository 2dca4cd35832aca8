"""``logger=mlflow``: a run in MLflow, on a server or in a database of this machine (extra: mlflow).

Where it goes: ``logger.mlflow.tracking_uri``, otherwise MLFLOW_TRACKING_URI, otherwise ``runs/mlflow.db``. Names and
passwords belong into MLflow's own variables, because a config is written into the run folder.
"""

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import MLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from vggexp.errors import ConfigError
from vggexp.logger.flat import costs, flat
from vggexp.logger.keep_id import KeepId
from vggexp.logger.run_name import run_name
from vggexp.logger.sheets import Sheets
from vggexp.run_folder import RunFolder

LOCAL = Path("runs")
"""The folder of the database ``mlflow.db`` and of the pictures, ``mlflow/``, if no other store is named."""
_LONGEST = 250
"""Characters of a parameter that Lightning sends."""


class MLflow(MLFlowLogger):
    """One MLflow run: the config as parameters, all metrics, the sheets of predictions as artifacts.

    Args:
        save_dir: the run folder.
        experiment: name of the MLflow experiment.
        tracking_uri: address of the store, such as http://host:5000 or sqlite:///runs/mlflow.db; None: see above.
        name: name of the MLflow run; None: the path of the run folder below runs/.
        tags: of the MLflow run.

    Raises:
        ConfigError: ``tracking_uri`` holds a password.
    """

    def __init__(
        self,
        save_dir: Path,
        experiment: str = "vggexp",
        tracking_uri: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if tracking_uri and urlsplit(tracking_uri).password:
            raise ConfigError(
                "logger.mlflow.tracking_uri holds a password, and a config is written into the run folder: set "
                "MLFLOW_TRACKING_URI, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, instead"
            )
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        self._is_local = uri is None
        if uri is None:
            LOCAL.mkdir(exist_ok=True)
            uri = f"sqlite:///{(LOCAL / 'mlflow.db').absolute()}"
        super().__init__(
            experiment_name=experiment,
            run_name=name or run_name(save_dir),
            tracking_uri=uri,
            tags=dict(tags or {}),
            artifact_location=(LOCAL / "mlflow").absolute().as_uri() if self._is_local else None,
        )
        folder = RunFolder(save_dir)
        self.callbacks: list[Callback] = [KeepId("mlflow", self), Sheets(folder, self._show)]
        """Callbacks that the trainer must run with this logger."""
        self._is_resumed = False

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue the MLflow run of a checkpoint; call it before logging anything."""
        self._run_id, self._is_resumed = state["id"], True

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Log the config as parameters. MLflow never changes one, so a resumed run keeps its first ones."""
        if not self._is_resumed:
            super().log_hyperparams(flat(params if isinstance(params, dict) else vars(params)))

    @rank_zero_only
    def close(self, summary: Mapping[str, Any], error: BaseException | None = None) -> None:
        """Log the costs, and end the MLflow run: finished, failed or killed."""
        if found := costs(summary):
            self.log_metrics({f"cost/{name}": value for name, value in found.items()})
        if error is not None:
            status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            self.experiment.set_terminated(self.run_id, status)
        elif self._is_local:
            print(f"MLflow: mlflow ui --backend-store-uri sqlite:///{LOCAL / 'mlflow.db'}")

    def _show(self, split: str, path: Path, step: int) -> None:
        self.experiment.log_artifact(self.run_id, str(path), "prediction")
