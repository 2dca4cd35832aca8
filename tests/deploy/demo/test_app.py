"""The demo's page: for this machine alone, in a real browser, and for programs."""

import http.client
import io
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.command.test_predict import rows, write

pytest.importorskip("flask", reason="the page needs flask (extra: demo)")

from vggexp.command.demo import HOST, make_server
from vggexp.deploy.demo.server import CONNECTIONS

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
Vggexp = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[Any]:
    made = make_server({"checkpoint": str(trained), "port": 0, "override": {}, "trust": []})
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def send(server: Any, content: bytes, name: str = "a.png", **headers: str) -> Any:
    client = server.app.test_client()
    return client.post("/predict", data={"image": (io.BytesIO(content), name)}, headers=headers)


def test_it_listens_on_this_machine_alone(server: Any) -> None:
    assert server.server_address[0] == HOST == "127.0.0.1"
    assert server.app.test_client().get("/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_a_program_gets_the_row_that_predict_writes(server: Any, trained: Path, vggexp: Vggexp) -> None:
    photo = write("photos/a.png", 90, 60)
    answer = send(server, photo.read_bytes())
    assert answer.status_code == 200
    assert vggexp("predict", str(trained), "photos", "output=out", "overlays=false")[0] == 0
    (row,) = rows()
    assert answer.json == {key: value for key, value in row.items() if key in answer.json}
    assert answer.json.keys() == {"class", "probability", "box", "box_pixels", "share"}


def test_what_is_no_picture_is_said_to_be_none(server: Any) -> None:
    answer = send(server, b"no image", "note.txt")
    assert (answer.status_code, answer.json) == (400, {"error": "note.txt: this is not an image that can be read"})


def test_nothing_is_fetched_and_names_are_escaped(server: Any) -> None:
    photo = write("photos/a.png", 90, 60).read_bytes()
    client = server.app.test_client()
    page = client.post("/", data={"image": (io.BytesIO(photo), "<script>alert(1)</script>.png")})
    assert "http" not in page.text
    assert "<script>alert" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; img-src data:;")


def test_another_site_can_send_nothing(server: Any) -> None:
    assert send(server, b"x", Origin="https://elsewhere.example").status_code == 403
    assert send(server, b"x", Origin="null").status_code == 403
    assert send(server, b"x", Origin=f"http://localhost:{server.port}").status_code == 400  # no image


def test_a_picture_of_too_many_pixels_is_not_decoded(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from vggexp.deploy.demo import app

    monkeypatch.setattr(app, "read_shrunk", lambda *_: pytest.fail("it was decoded"))
    content = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(content, "PNG")
    answer = send(server, content.getvalue())
    assert answer.json == {"error": "a.png: it has 144 megapixels, more than the 50 that this page reads"}
    with socket.create_connection((HOST, server.port)) as large:
        head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {app.LARGEST + 1}\r\n"
        large.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
        assert large.recv(12) == b"HTTP/1.0 413"


def ask(server: Any, place: str, content: bytes | None = None) -> int:
    """The status of a request by a connection of its own."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    body = None if content is None else start + content + b"\r\n--x--\r\n"
    connection.request("GET" if body is None else "POST", place, body, kind if body else {})
    status = connection.getresponse().status
    connection.close()
    return status


def leave(server: Any, places: int) -> None:
    """Wait until every thread has given its place back."""
    while server._places._value < places:
        time.sleep(0.01)


def test_a_slow_upload_keeps_nobody_waiting(server: Any) -> None:
    with socket.create_connection((HOST, server.port)) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n--x")
        assert ask(server, "/") == 200


def test_two_hundred_at_once_are_answered(server: Any) -> None:
    photo = write("photos/a.png", 9, 6).read_bytes()
    places = [("/", None), ("/predict", photo), ("/", None), ("/predict", b"no image")] * 50
    with ThreadPoolExecutor(200) as pool:
        found = list(pool.map(lambda each: ask(server, *each), places))
    assert found == [200, 200, 200, 400] * 50


def test_more_than_there_is_room_for_are_told_to_come_back(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(server, CONNECTIONS)
    monkeypatch.setattr(server, "_places", threading.BoundedSemaphore(1))
    with socket.create_connection((HOST, server.port)) as idle:
        idle.sendall(b"GET")
        while server._places._value:
            time.sleep(0.01)
        assert ask(server, "/") == 503
    leave(server, 1)
    assert ask(server, "/") == 200
    leave(server, 1)


def test_a_port_that_is_taken_is_one_line(server: Any, trained: Path, vggexp: Vggexp) -> None:
    code, _, errors = vggexp("demo", str(trained), f"port={server.port}")
    assert code == 2
    assert f"port={server.port} cannot be used on 127.0.0.1" in errors


def test_a_missing_extra_is_one_line(trained: Path, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "vggexp.deploy.demo.app", raising=False)
    monkeypatch.setitem(sys.modules, "flask", None)
    code, _, errors = vggexp("demo", str(trained))
    assert code == 2
    assert errors == "vggexp: error: demo: flask is not installed; pip install 'vggexp[demo]'\n"


@pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
def test_a_picture_is_dropped_in_a_browser(server: Any) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    photo = write("photos/a.png", 90, 60)
    troubles: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 380, "height": 800})
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"http://{HOST}:{server.port}")
        page.locator("input[type=file]").set_input_files(photo)
        page.locator("#result").wait_for()
        assert page.locator("#classes tr").count() == 5
        assert page.locator(".stack .box").is_visible()
        page.locator("#show-box").uncheck()
        assert not page.locator(".stack .box").is_visible()
        assert page.locator(".stack .mask").is_visible()
        page.locator("#show-mask").uncheck()
        assert not page.locator(".stack .mask").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        browser.close()
    assert not troubles
    assert all(url.startswith((f"http://{HOST}:{server.port}", "data:")) for url in asked)
