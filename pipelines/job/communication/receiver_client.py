"""Talk to the receiver's job API, patiently. Keeps the session token in memory; decides nothing about phases."""

from __future__ import annotations

import contextlib
import secrets
from typing import TypeVar

import httpx2
import msgspec
import stamina

from pipelines.job import limits
from pipelines.job.communication.errors import JobError, ReceiverRefusedError, ReceiverUnreachableError
from pipelines.language import Sha256
from pipelines.language.wire import Problem, ReportTaken, RunSpec, Session, SessionRequest, decode, encode, sha256

_AGAIN = frozenset({408, 425, 429})

T = TypeVar("T")


class _NotNowError(Exception):
    """The receiver may answer later."""

    def __init__(self, detail: str, *, wait_s: float | None) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


def _when_again(error: Exception) -> bool | float:
    if isinstance(error, _NotNowError):
        return True if error.wait_s is None else error.wait_s
    return isinstance(error, httpx2.TransportError)


class ReceiverClient:
    """A session with the receiver, from the exchange of the ID token to the report."""

    def __init__(
        self,
        receiver: str,
        *,
        patience_s: float = limits.RECEIVER_PATIENCE_S,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._http = httpx2.Client(base_url=receiver.rstrip("/"), timeout=limits.RECEIVER_ANSWER_S, transport=transport)
        self._patience_s = patience_s
        self._session: Session | None = None

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    @property
    def session(self) -> Session:
        """The open session."""
        if self._session is None:
            raise JobError("The job has no session with the receiver yet; this is a defect of the job client.")
        return self._session

    def open_session(self, request: SessionRequest, *, id_token: str) -> Session:
        """Exchange the job's ID token, which works once."""
        if not id_token:
            raise JobError(
                "BUG_FIX_ID_TOKEN is empty: this job needs `id_tokens: {BUG_FIX_ID_TOKEN: {aud: <receiver's URL>}}`."
            )
        # The answer may be lost; only whoever knows this secret gets it again for the same ID token.
        request = msgspec.structs.replace(request, proposed_token=secrets.token_urlsafe(32))
        answer = self._send("POST", "/api/jobs/session", content=encode(request), token=id_token)
        self._session = self._decoded(answer, Session)
        return self._session

    def spec(self) -> RunSpec:
        """Fetch what this job is told; waits while the reports that it needs are not settled."""
        return self._decoded(self._send("GET", "/api/jobs/spec"), RunSpec)

    def blob(self, digest: Sha256) -> bytes:
        """Fetch the bytes of an input that the receiver keeps."""
        return self._send("GET", f"/api/jobs/blobs/{digest}").content

    def put_blob(self, data: bytes) -> str:
        """Leave bytes with the receiver; returns their SHA-256. Doing it twice does no harm."""
        digest = sha256(data)
        self._send("PUT", f"/api/jobs/blobs/{digest}", content=data, content_type="application/octet-stream")
        return digest

    def keep_context(self, body: bytes) -> None:
        """Leave an encoded RepositoryContext with the receiver, for the jobs and runs to come."""
        self._send("PUT", "/api/jobs/contexts", content=body)

    def report(self, body: bytes) -> ReportTaken:
        """Submit an encoded PhaseReport. Doing it twice with the same bytes does no harm."""
        return self._decoded(self._send("POST", "/api/jobs/report", content=body), ReportTaken)

    def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        token: str | None = None,
        content_type: str = "application/json",
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token or self.session.token}"}
        if content is not None:
            headers["content-type"] = content_type
        try:
            for attempt in stamina.retry_context(
                on=_when_again, attempts=None, timeout=self._patience_s, wait_initial=0.2, wait_max=15.0
            ):
                with attempt:
                    return _checked(self._http.request(method, path, content=content, headers=headers))
        except (_NotNowError, httpx2.TransportError) as error:
            minutes = self._patience_s / 60
            raise ReceiverUnreachableError(
                f"The receiver at {self._http.base_url} did not take {method} {path} for {minutes:.0f} minutes: "
                f"{error}. Check that it runs and that this runner can reach it."
            ) from error
        raise JobError(f"{method} {path} was never tried.")  # pragma: no cover - the loop returns or raises

    @staticmethod
    def _decoded(answer: httpx2.Response, kind: type[T]) -> T:
        try:
            return decode(answer.content, kind)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise JobError(
                f"The receiver's answer is not a {kind.__name__}: {error}. Are job client and receiver of one release?"
            ) from error


def _checked(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    detail = f"{answer.status_code} {_detail(answer)}"
    if answer.status_code in _AGAIN or answer.status_code >= 500:
        raise _NotNowError(detail, wait_s=_retry_after(answer))
    raise ReceiverRefusedError(f"The receiver refused {answer.request.method} {answer.request.url.path}: {detail}")


def _detail(answer: httpx2.Response) -> str:
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        return decode(answer.content, Problem).detail
    return answer.text[:300]


def _retry_after(answer: httpx2.Response) -> float | None:
    with contextlib.suppress(ValueError, KeyError):
        return min(max(float(answer.headers["retry-after"]), 0.0), limits.RECEIVER_LONGEST_WAIT_S)
    return None
