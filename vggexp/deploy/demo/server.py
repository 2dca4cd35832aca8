"""The threads that answer the demo page: one a connection, so that a slow upload keeps nobody waiting.

Their number is bounded, so that many connections cannot exhaust the machine.
"""

from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

CONNECTIONS = 256
"""How many are served at once; further ones are told to come back."""
PATIENCE = 30
"""Seconds without a byte after which a connection is given up."""

_BUSY = (
    b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"the page is busy; try again\n"
)


class Handler(WSGIRequestHandler):
    """One connection, which ends with its answer: idle ones would hold threads. No request is logged."""

    timeout = PATIENCE
    protocol_version = "HTTP/1.0"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: names of photos are the user's own."""


class Server(ThreadedWSGIServer):
    """A server that is listening when it is made.

    Args:
        host, port: where; port 0 takes a free one.
        app: the WSGI application.

    Raises:
        SystemExit: the port is taken (werkzeug prints the reason).
    """

    request_queue_size = 2 * CONNECTIONS  # connections that wait to be accepted

    def __init__(self, host: str, port: int, app: Any) -> None:
        super().__init__(host, port, app, handler=Handler)
        self._places = BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, if one of the places is free."""
        if not self._places.acquire(blocking=False):
            self._refuse(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system gives no more threads
            self._places.release()
            self._refuse(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In its thread: serve the connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def _refuse(self, request: Any) -> None:
        with suppress(OSError):
            request.sendall(_BUSY)
        self.shutdown_request(request)
