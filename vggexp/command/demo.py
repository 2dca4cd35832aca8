"""``demo``: a page on this machine, on 127.0.0.1 alone, to try a run on pictures."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from vggexp.command.predict import ready
from vggexp.command.restore import restore
from vggexp.errors import ConfigError

HOST = "127.0.0.1"


def run(config: Mapping[str, Any]) -> int:
    """Serve the page until Ctrl-C."""
    server = make_server(config)
    print(f"http://{HOST}:{server.port}  drop a picture there; Ctrl-C ends it", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


def make_server(config: Mapping[str, Any]) -> Any:
    """A server that is listening; port 0 takes a free port."""
    try:
        app, server = import_module("vggexp.deploy.demo.app"), import_module("vggexp.deploy.demo.server")
    except ImportError as error:
        raise ConfigError("demo: flask is not installed; pip install 'vggexp[demo]'") from error
    restored = restore(Path(config["checkpoint"]), config["override"], config["trust"])
    choice = restored.config["choice"]
    title = f"{choice['task']} on {choice['data']}: {choice['backbone']} + {choice['head']}"
    page = app.make_app(*ready(restored), restored.info, title)
    try:
        return server.Server(HOST, config["port"], page)
    except (OSError, OverflowError, SystemExit) as error:  # werkzeug leaves with a text of its own if the port is taken
        raise ConfigError(f"port={config['port']} cannot be used on {HOST}; is it taken? give another port") from error
