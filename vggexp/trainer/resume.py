"""Takes up a run where its last checkpoint left it."""

from collections.abc import Mapping
from typing import Any

from vggexp.config.check import needs
from vggexp.distributed.processes import place_in_run
from vggexp.errors import ConfigError
from vggexp.learner.optimizer import parameter_groups
from vggexp.sample.loader import ResumableLoader
from vggexp.trainer.assembly import Training
from vggexp.transfer.checkpoint import read_checkpoint, read_info
from vggexp.transfer.class_names import require_same_names


def restore_position(run: Training, train: ResumableLoader) -> Mapping[str, Any]:
    """Set the folder's rows and the loader to the position of the last checkpoint.

    Lightning does not restore the loader here, because the loader's length is read before the checkpoint.

    Returns:
        The state of each logger in the checkpoint.

    Raises:
        ConfigError: the data set's class names differ from those in the checkpoint.
    """
    folder, checkpoint = run.folder, read_checkpoint(run.folder.last)
    where = (str(folder.last), "the data set now")
    advice = "resume with the classes and the data that the run started with, or start a new run in another run.dir"
    require_same_names(read_info(checkpoint), run.splits.data.info, needs(run.config), where, advice)
    loop, kept = checkpoint["loops"]["fit_loop"], checkpoint.get("logger", {})
    epochs = int(loop["epoch_progress"]["current"]["processed"])
    _check_length(run, checkpoint, epochs)
    if place_in_run()[0] == 0:
        folder.go_on(epochs, checkpoint.get("callbacks", {}).get("KeepLast", {}).get("row"))
    (place,) = loop["state_dict"]["combined_loader"]
    if place["epoch"] == epochs:
        train.load_state_dict(place)
    return dict(kept)


def _check_length(run: Training, checkpoint: Mapping[str, Any], done: int) -> None:
    """ConfigError unless the run can go on to ``trainer.max_epochs``, which may differ from the checkpoint's."""
    planned = run.config["trainer"]["max_epochs"]
    if planned < done:
        raise ConfigError(f"trainer.max_epochs={planned}: the run has trained {done} epochs already; give more")
    whole = (checkpoint["config"]["trainer"]["max_epochs"], planned)
    groups = [parameter_groups(run.learner.freezing, epochs, decay_biases_and_norms=True) for epochs in whole]
    if len(groups[0]) != len(groups[1]):
        raise ConfigError(
            f"trainer.max_epochs={planned}: freeze={run.config['choice']['freeze']} would treat parameters apart that "
            f"the checkpoint's {whole[0]} epochs hold in one group; train a new run: rerun {run.folder.path}"
        )
