"""Who a job is: the claims of its GitLab ID token against what we expect of it. Pure; fetches nothing.

Claims: https://docs.gitlab.com/ci/secrets/id_token_authentication/ (all ids are strings in the token).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

SOURCES = frozenset({"api", "trigger", "parent_pipeline"})
"""Pipeline sources that can be ours: started by the receiver, or a child of such a pipeline."""


class IdentityError(Exception):
    """The job is not who it says it is; the message says which fact does not fit."""


class ForeignProjectError(Exception):
    """The job is of another project than the run's; nothing of it belongs into the run's story."""


class Claims(Struct, frozen=True, kw_only=True):
    """What we read of an ID token whose signature, issuer, audience and times have been checked."""

    jti: str
    project_id: str
    project_path: str
    user_id: str
    """Of whoever started the job: of its pipeline, or of the person who retried it."""
    pipeline_id: str
    pipeline_source: str
    job_id: str
    ref: str
    ref_type: str
    ref_protected: str
    """`"true"` or `"false"`: a string, as GitLab sends it."""
    exp: int
    """Seconds since the epoch."""


class Expected(Struct, frozen=True, kw_only=True):
    """What a token of one of our jobs says."""

    project_id: int
    """Of the automation project; paths can be taken over after a rename, ids can't."""
    ref: str


CHECKS: tuple[tuple[str, Callable[[Claims, Expected], bool]], ...] = (
    ("the job's ref is not the automation project's branch", lambda c, e: (c.ref, c.ref_type) == (e.ref, "branch")),
    ("the job's ref is not protected", lambda c, _: c.ref_protected == "true"),
    (
        "the job's pipeline was not started by the API or by a parent pipeline",
        lambda c, _: c.pipeline_source in SOURCES,
    ),
    ("the job's ids are not numbers", lambda c, _: c.job_id.isdecimal() and c.pipeline_id.isdecimal()),
    ("the token has no id", lambda c, _: bool(c.jti)),
)
"""Sentence said when the fact does not hold, and the fact."""


def check_starter(claims: Claims, starter: int | None) -> None:
    """Raise IdentityError unless the job was started by whoever started the run's pipeline.

    A job that a person retries, plays, or whose trigger job a person retries, runs with that person's rights: its
    `CI_JOB_TOKEN` reads what they may read, and model-written code could use it.
    """
    if starter is None or claims.user_id != str(starter):
        raise IdentityError(
            f"Refused: the job was started by user {claims.user_id or '(none)'}, not by the bot that started the run's"
            " pipeline. Somebody retried it in GitLab, so that it would run with their rights. Take the label off the"
            " ticket and set it again instead: the bot starts a new run."
        )


def check(claims: Claims, expected: Expected) -> None:
    """Raise ForeignProjectError, or IdentityError with the first sentence whose fact does not hold."""
    if claims.project_id != str(expected.project_id):
        raise ForeignProjectError("Refused: the job's project is not the automation project.")
    for sentence, holds in CHECKS:
        if not holds(claims, expected):
            raise IdentityError(f"Refused: {sentence}.")
