"""`bug-fix-job PHASE`: what runs in a CI job. Reads its environment and ends with an exit code; all else is in job/."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from pipelines.job.communication.client_version import client_version
from pipelines.job.communication.errors import ExitCode, JobCancelledError, JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.environment import harden_process, read_settings, separate_secrets
from pipelines.language import Phase

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
    log = JobLog()
    try:
        secrets = separate_secrets(os.environ)
        harden_process()
        signal.signal(signal.SIGTERM, _cancel)
        settings = read_settings(phase, os.environ)
    except JobError as error:
        log.say(f"{error.exit_code.name}: {error}")
        return error.exit_code
    os.umask(0o022)
    # Only now: to be rid of its tokens this program executed itself again, and would have imported all of this twice.
    from pipelines.job.communication.receiver_client import ReceiverClient  # noqa: PLC0415 - see above
    from pipelines.supervision.supervisor import run_job  # noqa: PLC0415 - see above

    client = ReceiverClient(settings.receiver)
    try:
        return run_job(settings, secrets, log, client)
    finally:
        client.close()


def _cancel(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the ending of what was started
    raise JobCancelledError("GitLab ended this job.")


if __name__ == "__main__":
    main()
