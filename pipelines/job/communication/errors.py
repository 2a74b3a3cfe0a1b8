"""What can go wrong in a job, each with the exit code that GitLab sees. Decides nothing."""

from __future__ import annotations

from enum import IntEnum

from pipelines.language import EndedBy


class ExitCode(IntEnum):
    """What `bug-fix-job` ends with; templates/ci allows 4 to fail."""

    SUCCEEDED = 0
    REJECTED = 3
    NOT_REPRODUCED = 4
    FAILED = 5
    REFUSED = 6


class JobError(Exception):
    """The job can't go on; the message says why and what to do."""

    exit_code = ExitCode.FAILED
    ended_by = EndedBy.PHASE
    """What it is that went wrong, for the people who decide what to do next."""

    def __init__(self, message: str, ended_by: EndedBy | None = None) -> None:
        super().__init__(message)
        self.ended_by = ended_by or self.ended_by


class CommandsError(JobError):
    """The repository's own commands do not do what the catalogue says of them."""

    ended_by = EndedBy.COMMANDS


class SilentApplicationError(CommandsError):
    """The application runs and does not answer in time."""


class RunnerError(JobError):
    """The runner does not give this job what it needs."""

    ended_by = EndedBy.RUNNER


class ReceiverRefusedError(JobError):
    """The receiver said no, and asking again would not help."""

    exit_code = ExitCode.REFUSED


class ReceiverUnreachableError(JobError):
    """The receiver took a request for longer than a job is patient: it does not answer, or not yet."""


class JobCancelledError(BaseException):
    """GitLab ends this job (cancelled, or out of time): everything it started is ended, nothing is reported.

    No `Exception`: whoever catches those, to try again for example, means something that went wrong.
    """

    exit_code = ExitCode.FAILED


class InputMismatchError(JobError):
    """A file that another job left is missing or not the one that the receiver accepted."""
