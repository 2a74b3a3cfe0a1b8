"""The issuer's keys: asked for when needed, not in a storm, and not trusted for ever."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from receiver import limits
from receiver.jobs.issuer_keys import IssuerError, Keys, UnknownKeyError
from sandbox.http import Application, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread

pytestmark = pytest.mark.integration


class Issuer:
    """Publishes keys, and counts how often it is asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.kids = ["one"]
        self.answer: Response | None = None
        public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(generate_private_key(65537, 2048).public_key()))
        public.pop("key_ops", None)
        self.key = {**public, "use": "sig", "alg": "RS256"}

    def discovery(self, _: Request) -> Response:
        self.asked += 1
        return self.answer or Response.json({"jwks_uri": f"{self.url}/keys"})

    def published(self, _: Request) -> Response:
        return Response.json({"keys": [{**self.key, "kid": kid} for kid in self.kids]})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    found = Issuer()
    router = Router("issuer")
    routes = (
        Route("GET", "/.well-known/openid-configuration", Issuer.discovery),
        Route("GET", "/keys", Issuer.published),
    )
    router.include(found, routes)
    listener, found.url = bind()
    with in_thread(Application(router), listener):
        yield found


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.anyio
async def test_a_known_key_is_fetched_once(issuer: Issuer) -> None:
    keys = Keys(issuer.url, clock=Clock())
    assert [(await keys.key("one")).key_id for _ in range(5)] == ["one"] * 5
    assert issuer.asked == 1


@pytest.mark.anyio
async def test_unknown_keys_cause_no_storm_and_a_new_one_is_found_a_moment_later(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock=clock)
    with pytest.raises(UnknownKeyError):
        await keys.key("guess")
    for number in range(100):
        with pytest.raises(IssuerError):
            await keys.key(f"guess {number}")
    assert issuer.asked == 1
    assert (await keys.key("one")).key_id == "one"
    issuer.kids = ["one", "two"]
    with pytest.raises(IssuerError):
        await keys.key("two")
    clock.now += limits.ISSUER_KEYS_REFRESH_S
    assert (await keys.key("two")).key_id == "two"
    assert issuer.asked == 2


@pytest.mark.anyio
async def test_a_key_that_was_withdrawn_is_not_trusted_for_ever(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock=clock)
    await keys.key("one")
    issuer.kids = ["two"]
    clock.now += limits.ISSUER_KEYS_AGE_S
    with pytest.raises(UnknownKeyError):
        await keys.key("one")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        Response(status=500),
        Response(body=b"<html>", headers={"content-type": "text/html"}),
        Response.json([]),
        Response.json({}),
        Response.json({"jwks_uri": "no address"}),
        Response(status=302, headers={"location": "/keys"}),
    ],
)
async def test_an_issuer_that_says_nothing_sensible_can_t_be_asked(answer: Response, issuer: Issuer) -> None:
    issuer.answer = answer
    clock = Clock()
    keys = Keys(issuer.url, clock=clock)
    for _ in range(3):
        with pytest.raises(IssuerError):
            await keys.key("one")
    assert issuer.asked == 1
    issuer.answer = None
    clock.now += limits.ISSUER_KEYS_REFRESH_S
    assert (await keys.key("one")).key_id == "one"


@pytest.mark.anyio
async def test_an_issuer_that_is_away_can_t_be_asked() -> None:
    with pytest.raises(IssuerError, match="can't be read"):
        await Keys("http://127.0.0.1:1").key("one")
