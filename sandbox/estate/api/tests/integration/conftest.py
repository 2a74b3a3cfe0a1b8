"""A running service for each test, and a stand-in for the accounting system."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from payments.app import App
from payments.legacy import Fees
from payments.server import Server
from payments.store import Store

FEES = Path(__file__).parent / "FEES.DAT"


class Client:
    """Speaks JSON with the service."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and value."""
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path: str, value: object, **headers: str) -> tuple[int, Any]:
        """Return status and value."""
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self._call(
            urllib.request.Request(
                self.url + path, data=data, headers={"Content-Type": "application/json", **names}
            )
        )

    def _call(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def invoice(self, amount: str = "100.00", due: str = "2026-12-01") -> str:
        """Make a guardian with an invoice; return its number."""
        _, guardian = self.post("/v1/guardians", {"name": "Rosa Delgado", "email": "rosa@example.org"})
        lines = [{"description": "After-school program", "amount": amount}]
        status, invoice = self.post("/v1/invoices", {"guardian": guardian["id"], "due": due, "lines": lines})
        assert status == 201
        return invoice["number"]


class _Accounting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(FEES.read_bytes())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(server: HTTPServer) -> Iterator[None]:
    """Serve until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def accounting() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Accounting)
    with running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def client(accounting: str) -> Iterator[Client]:
    store = Store(":memory:")
    app = App(store, Fees(accounting), today=lambda: date(2026, 11, 20))
    server = Server(app, host="127.0.0.1", port=0)
    with running(server):
        yield Client(server.url)
    store.close()
