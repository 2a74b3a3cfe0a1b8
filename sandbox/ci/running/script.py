"""Write the shell script of a job as GitLab's runner does: each line shown, then run under `set -eo pipefail`."""

import shlex
from collections.abc import Iterable

_GREEN, _RESET = "\x1b[32;1m", "\x1b[0;m"


def bash(lines: Iterable[str]) -> str:
    """Give the text for `bash FILE`; the lines share one shell and end at the first that fails."""
    parts = ["set -eo pipefail", "set +o noclobber"]
    for line in lines:
        first, newline, _ = line.rstrip("\n").partition("\n")
        shown = f"$ {first}" + (" # collapsed multi-line command" if newline else "")
        parts.append(f"printf '%s\\n' {shlex.quote(f'{_GREEN}{shown}{_RESET}')}")
        parts.append(line.rstrip("\n"))
    return "\n".join([*parts, "exit 0", ""])
