"""Translate the errors of the SDKs and of requests into ours. Imported by adapters only; decides no retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import requests
from gitlab.exceptions import GitlabError
from jira.exceptions import JIRAError

from receiver.outbound.errors import OutboundError, RefusedError, UnavailableError

RETRIED: Final = frozenset({401, 408, 409, 423, 425, 429, 500, 502, 503, 504})
"""401 as well: a token that is being replaced is a matter of minutes."""


def stop_at_overload(response: requests.Response, *_: object, **__: object) -> None:
    """Raise UnavailableError for answers that ask to come back later; a hook of requests, set on both SDKs' sessions.

    The SDKs drop the Retry-After header from their errors and would sleep in our threads.
    """
    if response.status_code in {429, 502, 503, 504}:
        given = response.headers.get("Retry-After", "")
        retry_after = timedelta(seconds=int(given)) if given.isdecimal() else None
        where = f"{response.request.method} {response.url}"
        response.close()  # its body was not read; without this the connection would be leaked
        raise UnavailableError(f"{where} answered {response.status_code}.", retry_after=retry_after)


@contextmanager
def translate_errors(system: str, doing: str) -> Iterator[None]:
    """Translate the SDKs' errors into ours, with a sentence that names the action that failed."""
    try:
        yield
    except GitlabError as error:
        code, text = error.response_code, error.error_message
        raise _error(system, doing, code, str(text)) from error
    except JIRAError as error:
        raise _error(system, doing, error.status_code, str(error.text or "")) from error
    except requests.RequestException as error:
        raise UnavailableError(f"{system} could not be reached when {doing}: {type(error).__name__}.") from error


def _error(system: str, doing: str, code: int | None, text: str) -> OutboundError:
    sentence = f"{system} answered {code} when {doing}: {text[:500]}"
    return UnavailableError(sentence) if code in RETRIED else RefusedError(sentence)
