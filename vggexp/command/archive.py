"""``archive``: zip what a reader needs to repeat a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.command.report import require_runs
from vggexp.errors import ConfigError, DataError
from vggexp.report.archive import write_archive
from vggexp.report.console import console


def run(config: Mapping[str, Any]) -> int:
    """Write the zip file, and print its path and size."""
    root, output = Path(config["input"]), Path(config["output"])
    if output.suffix != ".zip":
        raise ConfigError(f"output={output}: name a zip file, such as {output.with_suffix('.zip')}")
    if output.exists() and not config["overwrite"]:
        raise ConfigError(f"output={output} exists; name another file, or set overwrite=true")
    runs = require_runs(root)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        size = write_archive(root, runs, output)
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror}") from error
    console().print(f"{output}: {len(runs)} runs, {size / 1e6:.1f} MB", style="bold", soft_wrap=True)
    return 0
