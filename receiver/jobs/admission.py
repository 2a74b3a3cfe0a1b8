"""Let a job in: its ID token checked against GitLab's keys, the job itself against GitLab's API and our own run.

The only way to a session. Everything that the job says of itself is compared with what GitLab says and we started.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import gitlab
import httpx2
import jwt
import msgspec
from gitlab.exceptions import GitlabError, GitlabGetError
from msgspec import Struct

from pipelines.model import RunId
from pipelines.wire import SessionRequest
from receiver.jobs.identity import Claims, Expected, IdentityError, check, parse_job_name
from receiver.store import sessions, started
from receiver.store.database import Database

LEEWAY_S = 10


class TokenError(Exception):
    """The ID token is not valid; the message says why."""


class UnknownYetError(Exception):
    """The pipeline is not known yet: a job can be faster than our commit."""


class ClaimedError(Exception):
    """Another pipeline holds the iteration."""

    def __init__(self, sentence: str, *, project_id: int, pipeline: int) -> None:
        """Remember the pipeline that has to be cancelled."""
        super().__init__(sentence)
        self.project_id = project_id
        self.pipeline = pipeline


class Keys:
    """The issuer's public keys, fetched when needed and again for an unknown key id."""

    def __init__(self, issuer: str) -> None:
        """Trust this issuer."""
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK:
        """Return a key. Raises TokenError when the issuer has no such key, httpx2.HTTPError when it can't be asked."""
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys:
                    await self._fetch()
        try:
            return self._keys[kid]
        except KeyError:
            raise TokenError("The token is signed with a key that the issuer does not publish.") from None

    async def _fetch(self) -> None:
        async with httpx2.AsyncClient(timeout=10) as client:
            found = await client.get(f"{self._issuer}/.well-known/openid-configuration")
            address = found.raise_for_status().json()["jwks_uri"]
            published = await client.get(address)
        keys = jwt.PyJWKSet.from_dict(published.raise_for_status().json())
        self._keys = {key.key_id: key for key in keys.keys if key.key_id}


class JobFacts(Struct, frozen=True, kw_only=True):
    """What GitLab's API says of a job."""

    name: str
    status: str
    pipeline: int


class Doorkeeper:
    """Exchanges ID tokens for sessions."""

    def __init__(
        self,
        database: Database,
        *,
        gitlab_url: str,
        gitlab_token: str,
        issuer: str,
        audience: str,
        clock: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        """Check tokens of `issuer` for `audience`; ask GitLab with `gitlab_token`."""
        self._database = database
        self._keys = Keys(issuer)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._new_token = new_token
        self._gitlab = gitlab.Gitlab(gitlab_url, private_token=gitlab_token, timeout=20, keep_base_url=True)
        self._projects: dict[str, int] = {}

    async def admit(self, token: str, wanted: SessionRequest) -> tuple[str, datetime]:
        """Return a session's token and its end. Raises TokenError, IdentityError, UnknownYetError, ClaimedError."""
        claims = await self._claims(token)
        facts = await started.automation(self._database, wanted.run)
        if facts is None:
            raise IdentityError("Refused: there is no such run.")
        project_id = await asyncio.to_thread(self._project_id, facts.project)
        check(claims, Expected(project_id=project_id, ref=facts.ref))
        job_id, pipeline = int(claims.job_id), int(claims.pipeline_id)
        await self._check_job(project_id, job_id, pipeline, wanted)
        parent = await self._parent(project_id, pipeline, claims, wanted)
        return await self._open(claims, wanted, project_id=project_id, pipeline=pipeline, parent=parent)

    async def _claims(self, token: str) -> Claims:
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
            key = await self._keys.key(str(kid))
            verified: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "jti"], "verify_iat": False},
            )
            return msgspec.convert(verified, Claims)
        except (jwt.PyJWTError, msgspec.ValidationError) as error:
            raise TokenError(f"The ID token is not valid: {error}") from error

    def _project_id(self, project: str) -> int:
        if project not in self._projects:
            self._projects[project] = int(self._gitlab.projects.get(project).id)
        return self._projects[project]

    async def _check_job(self, project_id: int, job_id: int, pipeline: int, wanted: SessionRequest) -> None:
        try:
            job = await asyncio.to_thread(self._job, project_id, job_id)
        except GitlabGetError as error:
            raise IdentityError(f"Refused: GitLab does not know the job ({error.response_code}).") from error
        name = parse_job_name(job.name)
        if name is None or (name.phase, name.repository) != (wanted.phase, wanted.repository):
            raise IdentityError(f"Refused: the job is named {job.name!r}, which is not {wanted.phase}.")
        if job.pipeline != pipeline:
            raise IdentityError("Refused: the job is in another pipeline than its token says.")
        if job.status != "running":
            raise IdentityError(f"Refused: the job is {job.status}, not running.")

    def _job(self, project_id: int, job_id: int) -> JobFacts:
        job = self._gitlab.projects.get(project_id, lazy=True).jobs.get(job_id)
        return JobFacts(name=job.name, status=job.status, pipeline=int(job.pipeline["id"]))

    async def _parent(self, project_id: int, pipeline: int, claims: Claims, wanted: SessionRequest) -> int:
        """Return the parent pipeline of the job, which has to be the one that was started for this iteration."""
        ours = await started.parents(self._database, wanted.run, wanted.iteration)
        if not ours:
            raise UnknownYetError("The pipeline of this iteration is not known yet.")
        parent = pipeline
        if claims.pipeline_source == "parent_pipeline":
            children = [child for known in ours for child in await asyncio.to_thread(self._children, project_id, known)]
            parent = next((known for known, child in children if child == pipeline), 0)
        if parent not in ours:
            raise ClaimedError(
                "Another pipeline was started for this iteration; this one is being cancelled.",
                project_id=project_id,
                pipeline=pipeline,
            )
        return parent

    def _children(self, project_id: int, parent: int) -> list[tuple[int, int]]:
        try:
            found = self._gitlab.projects.get(project_id, lazy=True).pipelines.get(parent, lazy=True).bridges
            bridges = found.list(get_all=True)
        except GitlabError as error:
            raise UnknownYetError(f"GitLab can't say who started the pipeline ({error.response_code}).") from error
        return [(parent, int(b.downstream_pipeline["id"])) for b in bridges if b.downstream_pipeline]

    async def _open(
        self, claims: Claims, wanted: SessionRequest, *, project_id: int, pipeline: int, parent: int
    ) -> tuple[str, datetime]:
        now, token = self._clock(), self._new_token()
        expires = min(datetime.fromtimestamp(claims.exp, UTC), now + timedelta(hours=6))
        async with self._database.begin() as session:
            holder = await sessions.claim(session, wanted.run, wanted.iteration, pipeline=parent, now=now)
            if holder is None:
                raise UnknownYetError("The iteration is not known yet.")
            if holder != parent:
                sentence = f"Pipeline {holder} holds this iteration; this one is being cancelled."
                raise ClaimedError(sentence, project_id=project_id, pipeline=parent)
            new = sessions.NewSession(
                token=token,
                jti=claims.jti,
                run=RunId(wanted.run),
                iteration=wanted.iteration,
                phase=wanted.phase,
                repository=wanted.repository,
                project_id=project_id,
                pipeline_id=pipeline,
                job_id=int(claims.job_id),
                created_at=now,
                expires_at=expires,
            )
            if not await sessions.create(session, new):
                raise IdentityError("Refused: this ID token was used before.")
        return token, expires
