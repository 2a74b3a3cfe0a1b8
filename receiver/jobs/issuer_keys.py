"""The issuer's public keys: fetched when needed, again for an unknown key id, never in a storm. Checks no token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx2
import jwt
import msgspec
from msgspec import Struct

from receiver import limits


class IssuerError(Exception):
    """The issuer's keys can't be had now; the message says why. Worth asking again."""


class UnknownKeyError(Exception):
    """The issuer publishes no key of this id."""


class _Discovery(Struct):
    jwks_uri: str


class Keys:
    """The public keys of one issuer."""

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Trust this issuer; `clock` gives seconds that only grow."""
        self._issuer = issuer
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at: float | None = None
        self._fetched_at = 0.0
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK:
        """Return a key. Raises UnknownKeyError when the issuer has none of this id, IssuerError when it can't tell."""
        if (known := self._fresh(kid)) is not None:
            return known
        async with self._lock:
            if (known := self._fresh(kid)) is not None:
                return known
            if self._tried_at is not None and self._clock() - self._tried_at < limits.ISSUER_KEYS_REFRESH_S:
                raise IssuerError("The issuer's keys were asked for a moment ago.")
            self._tried_at = self._clock()
            self._keys = await self._fetch()
            self._fetched_at = self._clock()
        if kid not in self._keys:
            raise UnknownKeyError("The token is signed with a key that the issuer does not publish.")
        return self._keys[kid]

    def _fresh(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid) if self._clock() - self._fetched_at < limits.ISSUER_KEYS_AGE_S else None

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        try:
            async with httpx2.AsyncClient(timeout=10) as client:
                found = await client.get(f"{self._issuer}/.well-known/openid-configuration")
                address = msgspec.json.decode(found.raise_for_status().content, type=_Discovery).jwks_uri
                published = await client.get(address)
            keys = jwt.PyJWKSet.from_dict(msgspec.json.decode(published.raise_for_status().content, type=dict))
        except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError, jwt.PyJWTError) as error:
            raise IssuerError(f"The issuer's keys can't be read ({type(error).__name__}).") from error
        return {key.key_id: key for key in keys.keys if key.key_id}
