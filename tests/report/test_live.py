"""The page over HTTP while runs train."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.report.conftest import MakeRun
from vggexp.__main__ import enter
from vggexp.report.live import HOST, make_server


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "runs").mkdir()
    with make_server(tmp_path / "runs", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> tuple[int, str]:
    connection = HTTPConnection(HOST, port, timeout=30)
    connection.request(method, path, headers={"Host": host or f"{HOST}:{port}"})
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


def test_it_follows_the_runs(port: int, make_run: MakeRun) -> None:
    assert "no run yet" in ask(port, "/")[1]
    folder = make_run("a", finished=False, epochs=2, planned=9)
    status, page = ask(port, "/")
    assert (status, "1 run: 1 running" in page) == (200, True)
    first = json.loads(ask(port, "/news")[1])
    assert [(job["name"], job["epochs"], job["planned"]) for job in first["jobs"]] == [("a", 2, 9)]
    assert first["jobs"][0]["log"][-1].startswith("epoch 1  1 s  val/miou 0.5")
    assert json.loads(ask(port, "/news")[1])["stamp"] == first["stamp"]
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "val/miou": 0.7}\n')
    later = json.loads(ask(port, "/news")[1])
    assert (later["stamp"] != first["stamp"], later["jobs"][0]["epochs"]) == (True, 3)


def test_nothing_else_is_answered(port: int) -> None:
    assert ask(port, "/../config.yaml")[0] == 404
    assert ask(port, "/", "POST")[0] == 501
    assert ask(port, "/", host="evil.example")[0] == 403


def test_what_cannot_be_served_is_said(port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert enter(["serve", str(tmp_path / "nothing")]) == 1
    assert enter(["serve", str(tmp_path / "runs"), f"port={port}"]) == 2
    assert "give another one" in capsys.readouterr().err
    assert enter(["serve", str(tmp_path / "runs"), "port=99999"]) == 2
