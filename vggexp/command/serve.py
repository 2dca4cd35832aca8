"""``serve``: the report page on this machine, following the runs while they train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError, DataError
from vggexp.report.console import console
from vggexp.report.live import HOST, make_server


def run(config: Mapping[str, Any]) -> int:
    """Serve until Ctrl-C."""
    root, port = Path(config["input"]), config["port"]
    if not root.is_dir():
        raise DataError(f"{root} is no folder; give the folder that holds the runs")
    if not 0 <= port <= 65535:
        raise ConfigError(f"port={port}: a port is a number from 0 (any that is free) to 65535")
    try:
        server = make_server(root, port)
    except OSError as error:
        raise ConfigError(f"port={port} cannot be used: {error.strerror}; give another one") from error
    with server:
        console().print(f"http://{HOST}:{server.server_address[1]}  (Ctrl-C ends it)", style="bold", soft_wrap=True)
        server.serve_forever()
    return 0
