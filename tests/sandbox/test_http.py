"""The emulators' small framework: raw paths, declared parameters, loud refusals, over a real socket."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from sandbox.http import Application, Body, Disconnect, Handler, HttpError, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread
from sandbox.http.multipart import Upload

pytestmark = pytest.mark.integration


def echo(state: str, request: Request) -> Response:
    fields = {
        name: [value.filename, value.content.hex()] if isinstance(value, Upload) else value
        for name, value in request.fields().items()
    }
    return Response.json({"state": state, "params": request.params, "fields": fields})


async def drop(_state: str, _request: Request) -> Response:
    raise Disconnect


async def stream(_state: str, _request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one ", b"two ", b"three"):
            yield part

    return Response(body=parts(), headers={"content-type": "text/plain"})


def refuse(_state: str, _request: Request) -> Response:
    raise HttpError(418, {"message": "no"}, {"retry-after": "3"})


async def stamped(request: Request, call_next: Handler) -> Response:
    answer = await call_next(request)
    return Response(status=answer.status, body=answer.body, headers={**answer.headers, "x-stamp": "yes"})


ROUTES = (
    Route("GET", "/things/:id/notes", echo, params=("order",), query=("page",)),
    Route("POST", "/things/:id/notes", echo, params=("labels", "file"), required=("body",)),
    Route("POST", "/free", echo, body=Body.FREE),
    Route("GET", "/drop", drop),
    Route("GET", "/stream", stream),
    Route("GET", "/refuse", refuse),
    Route("GET", "/*project.git/info/refs", echo),
    Route("GET", "/*project", echo),
)


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    router = Router("Test")
    router.include("bound", ROUTES)
    listener, url = bind()
    with (
        in_thread(Application(router, middleware=(stamped,)), listener),
        httpx2.Client(base_url=url, timeout=60) as opened,
    ):
        yield opened


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/things/payk12%2Fcontacts/notes", {"id": "payk12/contacts"}),
        ("/things/a%20b%C3%A9/notes", {"id": "a bé"}),
        ("/a/b/c.git/info/refs", {"project": "a/b/c"}),
        ("/a/b/c", {"project": "a/b/c"}),
    ],
)
def test_an_escaped_slash_stays_in_its_segment(client: httpx2.Client, path: str, params: dict[str, str]) -> None:
    answer = client.get(path)
    assert answer.json() == {"state": "bound", "params": params, "fields": {}}
    assert answer.headers["x-stamp"] == "yes"


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "sentence"),
    [
        ("GET", "/things/1/notes?order=asc&page=2", {}, 200, ""),
        ("GET", "/things/1/notes?colour=red&size=1", {}, 400, "unknown query parameter: colour, size"),
        ("POST", "/things/1/notes", {"json": {"body": "x", "labels": ["a"]}}, 200, ""),
        ("POST", "/things/1/notes", {"json": {"body": "x", "colour": 1}}, 400, "unknown body parameter: colour"),
        ("POST", "/things/1/notes", {"json": {"labels": []}}, 400, "body is missing"),
        ("POST", "/things/1/notes?body=x", {}, 200, ""),
        ("POST", "/things/1/notes", {"data": {"body": "x", "labels[]": "a"}}, 200, ""),
        ("POST", "/things/1/notes", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
        ("POST", "/free", {"json": {"anything": 1}}, 200, ""),
        ("DELETE", "/things/1/notes", {}, 404, "does not know DELETE /things/1/notes"),
        ("PATCH", "/nowhere", {}, 404, "the Test emulator does not know PATCH /nowhere"),
    ],
)
def test_what_is_not_declared_is_named(
    client: httpx2.Client, method: str, path: str, more: dict[str, Any], status: int, sentence: str
) -> None:
    answer = client.request(method, path, **more)
    assert answer.status_code == status
    assert sentence in answer.json().get("error", "")


def test_a_file_comes_byte_for_byte(client: httpx2.Client) -> None:
    content = b"\r\n--\x00\xff\r\n--boundary--\r\n"
    answer = client.post("/things/1/notes", data={"body": "é"}, files={"file": ("a b.png", content)})
    assert answer.json()["fields"] == {"body": "é", "file": ["a b.png", content.hex()]}


def test_a_refusal_keeps_its_headers(client: httpx2.Client) -> None:
    answer = client.get("/refuse")
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (418, {"message": "no"}, "3")


def test_a_connection_is_closed_without_an_answer(client: httpx2.Client) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/drop")
    assert client.get("/a").status_code == 200


def test_an_answer_is_streamed(client: httpx2.Client) -> None:
    answer = client.get("/stream")
    assert answer.text == "one two three"
    assert "content-length" not in answer.headers


def test_head_is_get_without_a_body(client: httpx2.Client) -> None:
    answer = client.head("/things/1/notes")
    assert (answer.status_code, answer.content) == (200, b"")
