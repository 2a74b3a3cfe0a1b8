"""`bug-fix-job PHASE`: what runs in a CI job. Reads its environment and ends with an exit code; all else is in job/."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from pipelines.job.communication.client_version import client_version
from pipelines.job.communication.errors import ExitCode, JobCancelledError, JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.environment import (
    JobSettings,
    Secrets,
    harden_process,
    read_settings,
    separate_secrets,
)
from pipelines.language import Phase
from pipelines.supervision.cancellation import Cancellation

_USAGE = f"Usage: bug-fix-job {{{','.join(Phase)}}}. It is meant to run in a GitLab CI job."


def main() -> None:
    """Run the job and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        print(f"bug-fix-job {client_version()}")  # noqa: T201 - asked for
        sys.exit(0)
    if len(sys.argv) != 2 or sys.argv[1] not in set(Phase):
        print(_USAGE, file=sys.stderr)  # noqa: T201 - a usage message
        sys.exit(0 if sys.argv[1:] in (["--help"], ["-h"]) else 2)
    sys.exit(_run(sys.argv[1]))


def _run(phase: str) -> ExitCode:
    log, cancellation = JobLog(), Cancellation()
    try:
        secrets = separate_secrets(os.environ)
        harden_process()
        cancellation.watch()
        settings = read_settings(phase, os.environ)
        os.umask(0o022)
        code = _done(settings, secrets, log)
        cancellation.end()
    except JobCancelledError as error:
        cancellation.end()
        log.state(f"{error.exit_code.name}: {error}")
        _exit_at_once(error.exit_code)
    except JobError as error:
        cancellation.end()
        log.say(f"{error.exit_code.name}: {error}")
        return error.exit_code
    return code


def _exit_at_once(code: ExitCode) -> NoReturn:
    """End the process without waiting for other threads.

    What was raised in the main thread may have left the lock of a module locked for which another thread waits.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _done(settings: JobSettings, secrets: Secrets, log: JobLog) -> ExitCode:
    # Only now: to be rid of its tokens this program executed itself again, and would have imported all of this twice.
    from pipelines.job.communication.receiver_client import ReceiverClient  # noqa: PLC0415 - see above
    from pipelines.supervision.supervisor import run_job  # noqa: PLC0415 - see above

    client = ReceiverClient(settings.receiver)
    try:
        return run_job(settings, secrets, log, client)
    finally:
        client.close()


if __name__ == "__main__":
    main()
