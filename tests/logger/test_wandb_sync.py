"""``wandb sync`` of what was written offline, to a server of our own that knows as much of W&B's as this takes."""

import gzip
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vggexp.learner.learner import Learner

WORDS = ("trainer.max_epochs=4", "logger.wandb.media=false")
"""No tables: W&B keeps those as artifacts, of which this server knows nothing."""
HISTORY, SUMMARY = "wandb-history.jsonl", "wandb-summary.json"


class Server(ThreadingHTTPServer):
    """Keeps the lines of each run's files, by their place, and the names of the files that were sent whole."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.lines: dict[str, dict[str, dict[int, str]]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.uploaded: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def rows(self, run: str) -> list[dict[str, Any]]:
        history = self.lines[run][HISTORY]
        assert sorted(history) == list(range(len(history)))
        return [json.loads(history[place]) for place in sorted(history)]

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What the GraphQL interface says of the few questions that matter here."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        project = {"id": "P", "name": "vggexp", "entity": {"id": "E", "name": "us"}}
        run = variables.get("name") or variables.get("run") or ""
        match found and found[1]:
            case "UpsertBucket":
                self.runs.setdefault(run, {}).update({k: v for k, v in variables.items() if v is not None})
                return {"upsertBucket": {"bucket": {"id": run, "name": run, "project": project}, "inserted": True}}
            case "RunResumeStatus":
                return {"model": {**project, "bucket": self.known(run)}}
            case "CreateRunFiles":
                files = [{"name": name, "uploadUrl": f"{self.url}/{name}"} for name in variables["files"]]
                return {"createRunFiles": {"runID": run, "uploadHeaders": [], "files": files}}
            case "Viewer":
                return {"viewer": {"id": "V", "entity": "us", "username": "u", "flags": "{}", "teams": {"edges": []}}}
        return {}

    def known(self, run: str) -> dict[str, Any] | None:
        """A run as it was left."""
        if run not in self.runs:
            return None
        history = self.lines[run][HISTORY]
        return {
            "name": run, "historyLineCount": len(history), "historyTail": json.dumps([history[max(history)]]),
            "eventsLineCount": 0, "eventsTail": "[]", "logLineCount": 0, "tags": [], "wandbConfig": '{"t": 1}',
            "summaryMetrics": self.lines[run][SUMMARY][0], "config": self.runs[run]["config"],
        }  # fmt: skip


class Request(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        self._reply({})

    def do_PUT(self) -> None:
        self._body()
        self.server.uploaded.append(self.path[1:])
        self._reply({})

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/graphql"):
            asked = json.loads(body)
            self._reply({"data": self.server.answer(asked["query"], asked.get("variables") or {})})
            return
        if self.path.endswith("/file_stream"):
            run, sent = self.path.split("/")[-2], json.loads(body)
            for name, content in (sent.get("files") or {}).items():
                lines = self.server.lines.setdefault(run, {}).setdefault(name, {})
                lines.update(enumerate(content["content"], content["offset"]))
            if "exitcode" in sent:
                self.server.runs[run].setdefault("exits", []).append(sent["exitcode"])
        self._reply({})

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        return gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body

    def _reply(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.slow
def test_the_parts_of_a_resumed_run_become_one(
    train_tiny: Callable[..., Path],
    vggexp: Any,
    server: Server,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NETRC", "none")
    start = Learner.on_train_epoch_start

    def fail(self: Learner) -> None:
        if self.current_epoch == 2:
            raise RuntimeError("killed")
        start(self)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_train_epoch_start", fail)
        with pytest.raises(RuntimeError, match="killed"):
            train_tiny("head.hidden=8", "head.pool=1", "logger=wandb", *WORDS, name="cut")
    assert vggexp("resume", "cut")[0] == 0
    parts = sorted(Path("cut/wandb").glob("offline-run-*"))
    assert len(parts) == 2
    environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": "k" * 40}
    command = [str(Path(sys.executable).with_name("wandb")), "sync", *map(str, parts)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    (run,) = server.runs
    ours = [json.loads(line) for line in Path("cut/metrics.jsonl").read_text().splitlines()]
    theirs = server.rows(run)
    for name in ("val/top1", "train/loss", "test/top1"):
        assert [row[name] for row in theirs if name in row] == [row[name] for row in ours if name in row]
    steps = [row["_step"] for row in theirs]
    assert steps == sorted(set(steps))
    assert server.runs[run]["exits"][-1] == 0
    summary = json.loads(server.lines[run][SUMMARY][0])
    assert summary["val/loss"]["min"] == min(row["val/loss"] for row in ours if "val/loss" in row)
    assert "config.yaml" in server.uploaded
    assert all((part / f"run-{run}.wandb.synced").exists() for part in parts)
