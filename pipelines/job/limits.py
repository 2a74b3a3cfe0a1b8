"""Limits and time-outs of what runs inside CI jobs, in one place. Constants only; imports nothing of ours.

Limits that a team sets are in bug-fix.yml; those of the receiver are in `receiver.limits`. How much one
parser reads is set in its own module. Names ending in `_S` are seconds.
"""

from typing import Final

# The receiver.

RECEIVER_PATIENCE_S: Final = 900.0
"""How long an unreachable or not yet ready receiver is asked again."""
RECEIVER_ANSWER_S: Final = 60.0
"""Until the receiver has to answer one request."""
RECEIVER_LONGEST_WAIT_S: Final = 60.0
"""Longest `Retry-After` of the receiver that is honoured in full."""
CANCELLED_AGAIN_S: Final = 1.0
"""After which a job that GitLab ends, and that goes on nevertheless, is interrupted once more."""


# Commands.

COMMAND_S: Final = 3600.0
"""For one command of the catalogue."""
COMMAND_OUTPUT: Final = 10 * 1024 * 1024
"""Bytes of a command's output that are kept, the last ones."""
GIT_S: Final = 600
"""For a git command of this program, a clone for example."""
WORK_FOLDER_GIT_S: Final = 300
"""For a git command in a folder that untrusted commands may write to."""
COPY_S: Final = 600.0
"""For copying a checkout with what is installed in it."""
CONFINE_S: Final = 60.0
"""Until a command is confined and begins."""
USER_CLEAN_UP_S: Final = 60.0
"""For removing what a user of the job left in the kernel."""


# The application under test, and its reproduction.

READY_S: Final = 120.0
"""Until an application has to answer at `serve.ready`."""
APPLICATION_LOG_TAIL: Final = 20_000
"""Bytes of an application's output in which its last lines are looked for."""
REPRODUCTION_S: Final = 180.0
"""For one run of a reproduction test."""
EVIDENCE_FILE: Final = 50 * 1024 * 1024
"""Bytes of a screenshot or trace."""
VIDEO: Final = 20 * 1024 * 1024
"""Bytes of a video."""
