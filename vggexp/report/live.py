"""Serves the page over HTTP on this machine while runs train. The server only answers reads; nothing can be changed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vggexp.report.jobs import running_jobs, sweeps
from vggexp.report.page import page_text
from vggexp.report.runs import Run, read_runs
from vggexp.run_folder import PREVIOUS
from vggexp.sample.announce import announced

HOST = "127.0.0.1"
_FILES = ("config.yaml", "metrics.jsonl", "summary.json", "state.json")
_EMPTY = (
    "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=2>"
    "<p>There is no run yet; this page waits for one."
)


class Study:
    """The runs below a folder, read again only when one of their files has changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._stamp, self._runs, self._page = "", list[Run](), ""

    def page(self) -> str:
        """The page of the runs as they are now."""
        with self._lock:
            self._read()
            if not self._page and self._runs:
                self._page = page_text(self._root, self._runs, live=True)
            return self._page or _EMPTY

    def news(self) -> dict[str, Any]:
        """The answer to the page's request every few seconds: whether runs have changed, and which jobs are running."""
        with self._lock:
            self._read()
            number = sum(run.status.word == "running" for run in self._runs)
            jobs = {"jobs": running_jobs(self._runs), "sweeps": sweeps(self._root)}
            return {"stamp": self._stamp, "running": number, **jobs}

    def _read(self) -> None:
        with announced(f"looking for runs in {self._root}"):
            if (stamp := _stamp(self._root)) != self._stamp:
                self._stamp, self._runs, self._page = stamp, read_runs(self._root), ""


def _stamp(root: Path) -> str:
    """A text that changes with the files of any run."""
    found = []
    for config in root.rglob("config.yaml"):
        if PREVIOUS in config.parts:
            continue
        for name in _FILES:
            try:
                stat = config.with_name(name).stat()
            except OSError:
                continue
            found.append((str(config), name, stat.st_mtime_ns, stat.st_size))
    return f"{len(found)}-{hash(tuple(sorted(found))):x}"


def make_server(root: Path, port: int) -> ThreadingHTTPServer:
    """A server of the page at ``/`` and of its news at ``/news``.

    Raises:
        OSError: the port is taken.
    """
    study = Study(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Another site could give its name the address 127.0.0.1 and read the page from a browser here.
            if (self.headers.get("Host") or "").rpartition(":")[0] not in (HOST, "localhost"):
                self.send_error(403)
            elif self.path == "/":
                self._send("text/html; charset=utf-8", study.page())
            elif self.path == "/news":
                self._send("application/json", json.dumps(study.news()))
            else:
                self.send_error(404)

        def _send(self, kind: str, text: str) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the terminal is for the address alone."""

    return ThreadingHTTPServer((HOST, port), Handler)
