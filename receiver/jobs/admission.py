"""Let a job in: its ID token checked against GitLab's keys, the job itself against GitLab's API and our own run.

The only way to a session. Everything that the job says of itself is compared with what GitLab says and we started.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import msgspec

from pipelines.generation.job_names import parse_job_name
from pipelines.language import PipelineKind, RunId
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import SessionRequest
from receiver import limits
from receiver.jobs.identity import Claims, Expected, IdentityError, check, check_starter
from receiver.jobs.issuer_keys import Keys, UnknownKeyError
from receiver.jobs.job_lookup import JobLookup
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from receiver.store.run import started_pipelines

RUN_ID = re.compile(r"[0-9a-f]{16}")
PROPOSED = re.compile(r"[A-Za-z0-9_-]{43,86}")
"""A session token that a job proposes: at least 256 bits."""
NOT_RUNNING_YET = frozenset({"created", "waiting_for_resource", "preparing", "pending"})
"""A job that has an ID token runs; when GitLab's API says so, a replica of its database is behind."""


class TokenError(Exception):
    """The ID token is not valid; the message says why."""


class UnknownYetError(Exception):
    """The pipeline is not known yet: a job can be faster than our commit."""


class ClaimedError(Exception):
    """Another pipeline in GitLab holds the kind and number."""

    def __init__(self, sentence: str, *, project_id: int, pipeline: int) -> None:
        """Remember the pipeline that has to be cancelled."""
        super().__init__(sentence)
        self.project_id = project_id
        self.pipeline = pipeline


class Doorkeeper:
    """Exchanges ID tokens for sessions."""

    def __init__(
        self,
        database: Database,
        *,
        lookup: JobLookup,
        issuer: str,
        audience: str,
        clock: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        """Check tokens of `issuer` for `audience`; ask GitLab about the jobs through `lookup`."""
        self._database = database
        self._keys = Keys(issuer)
        self._issuer = issuer
        self._audience = audience.rstrip("/")  # as the pipeline's inputs give it to `id_tokens`
        self._clock = clock
        self._new_token = new_token
        self._lookup = lookup

    def close(self) -> None:
        """Close the connections to GitLab."""
        self._lookup.close()

    async def admit(self, token: str, wanted: SessionRequest) -> tuple[str, datetime]:
        """Return a session's token and its end.

        Raises TokenError, ForeignProjectError, IdentityError, UnknownYetError, ClaimedError; IssuerError, or the
        lookup's error, when GitLab can't be asked.
        """
        claims = await self._claims(token)
        facts = await self._automation(wanted)
        project_id = await asyncio.to_thread(self._lookup.project_id, facts.project)
        check(claims, Expected(project_id=project_id, ref=facts.ref))
        _check_is_current(facts, wanted)
        job_id, pipeline = int(claims.job_id), int(claims.pipeline_id)
        await self._check_job(project_id, job_id, pipeline, wanted)
        parent = await self._parent(project_id, pipeline, claims, wanted)
        check_starter(claims, await asyncio.to_thread(self._lookup.starter, project_id, parent))
        return await self._open(claims, wanted, project_id=project_id, pipeline=pipeline, parent=parent)

    async def _automation(self, wanted: SessionRequest) -> started_pipelines.AutomationProject:
        facts = await started_pipelines.automation(self._database, wanted.run) if RUN_ID.fullmatch(wanted.run) else None
        if facts is None:
            raise IdentityError("Refused: there is no such run.")
        return facts

    async def _claims(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
                raise TokenError("The ID token is not valid: GitLab signs with RS256 and names its key.")
            key = await self._keys.key(header["kid"])
            verified: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                leeway=limits.CLOCK_SKEW_S,
                # strict: a token that was made for somebody else as well could have been passed on by them
                options={"require": ["exp", "iat", "iss", "aud", "jti"], "verify_iat": False, "strict_aud": True},
            )
            return msgspec.convert(verified, Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, UnknownKeyError) as error:
            raise TokenError(f"The ID token is not valid: {error}") from error

    async def _check_job(self, project_id: int, job_id: int, pipeline: int, wanted: SessionRequest) -> None:
        job = await asyncio.to_thread(self._lookup.job, project_id, job_id)
        if job is None:
            raise IdentityError("Refused: GitLab does not know the job, or the receiver's bot may not see it.")
        name = parse_job_name(job.name)
        if name is None or (name.phase, name.repository) != (wanted.phase, wanted.repository):
            raise IdentityError(f"Refused: the job is named {job.name!r}, which is not {wanted.phase}.")
        if job.pipeline != pipeline:
            raise IdentityError("Refused: the job is in another pipeline than its token says.")
        if job.status in NOT_RUNNING_YET:
            raise UnknownYetError(f"GitLab says that the job is {job.status}.")
        if job.status != "running":
            raise IdentityError(f"Refused: the job is {job.status}, not running.")

    async def _parent(self, project_id: int, pipeline: int, claims: Claims, wanted: SessionRequest) -> int:
        """Return the parent pipeline of the job, which has to be one that was started under this kind and number."""
        ours = await started_pipelines.parents(self._database, wanted.run, wanted.pipeline)
        if not ours:
            raise UnknownYetError(f"The pipeline {wanted.pipeline} is not known yet.")
        if claims.pipeline_source != "parent_pipeline":
            parent = pipeline if pipeline in ours else None
        else:
            parent = await self._parent_of_child(project_id, pipeline, ours)
        if parent is None:
            raise ClaimedError(
                f"Another pipeline was started as {wanted.pipeline}; this one is being cancelled.",
                project_id=project_id,
                pipeline=pipeline,
            )
        return parent

    async def _parent_of_child(self, project_id: int, child: int, ours: list[int]) -> int | None:
        """Return which of our pipelines triggered this one, None for none of them."""
        undecided = False
        for known in ours:
            triggered = await asyncio.to_thread(self._lookup.triggered, project_id, known)
            if child in triggered:
                return known
            undecided = undecided or None in triggered
        if undecided:
            raise UnknownYetError("GitLab does not say yet which pipeline triggered this one.")
        return None

    async def _open(
        self, claims: Claims, wanted: SessionRequest, *, project_id: int, pipeline: int, parent: int
    ) -> tuple[str, datetime]:
        now = self._clock()
        token = self._new_token() if wanted.proposed_token is None else wanted.proposed_token
        if not PROPOSED.fullmatch(token):
            raise IdentityError("Refused: a proposed session token has 43 to 86 URL-safe characters.")
        expires = min(datetime.fromtimestamp(claims.exp, UTC), now + limits.JOB_SESSION)
        async with self._database.begin() as session:
            holder = await sessions.claim(session, wanted.run, wanted.pipeline, pipeline=parent, now=now)
            if holder != parent:
                sentence = f"Pipeline {holder} is the run's {wanted.pipeline}; this one is being cancelled."
                raise ClaimedError(sentence, project_id=project_id, pipeline=parent)
            new = sessions.NewSession(
                token=token,
                jti=claims.jti,
                run=RunId(wanted.run),
                pipeline=wanted.pipeline,
                phase=wanted.phase,
                repository=wanted.repository,
                project_id=project_id,
                pipeline_id=pipeline,
                job_id=int(claims.job_id),
                client=wanted.client[:100],
                created_at=now,
                expires_at=expires,
            )
            opened = await sessions.open_once(session, new)
            if opened is None:
                raise IdentityError("Refused: this ID token was used before.")
        return token, opened


def _check_is_current(facts: started_pipelines.AutomationProject, wanted: SessionRequest) -> None:
    """Raise IdentityError or UnknownYetError unless the run is at work on this pipeline."""
    if facts.over:
        raise IdentityError("Refused: the run has ended, or waits for people.")
    if wanted.kind is not PipelineKind.FIX:
        raise IdentityError(f"Refused: no pipeline {wanted.pipeline} was started for this run.")
    if wanted.iteration < max(facts.iteration, 1):
        raise IdentityError(f"Refused: {wanted.pipeline} is over; the run is at {fix(facts.iteration)}.")
    if wanted.iteration > facts.iteration:
        raise UnknownYetError(f"{wanted.pipeline} has not begun.")
