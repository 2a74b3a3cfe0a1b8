"""Write the script by which `git bisect run` finds the commit that brought a bug. Runs nothing."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.catalogue.served_order import address_variable
from pipelines.job.reproduction.application import PORT
from pipelines.language import Framework
from pipelines.language.repository import Repository, Serve

_BODY = Path(__file__).parent / "bisect.sh"
_HEAD = """\
#!/usr/bin/env bash
# Tells `git bisect run` of a commit: 0 the bug is not there, 1 it is, 125 it can't be told.
#
#   git bisect start COMMIT_WITH_THE_BUG COMMIT_WITHOUT && git bisect run {name}
#
# Run it in a clone of {project}, from the folder in which this file and {test} lie.
# It needs what the repository's own commands need, and {runner}.
# Each command is said before it runs: those of bug-fix.yml, with the files of that commit, and the test.
"""
_RUNNERS = {
    Framework.PYTEST: "for the test: `pip install pytest-playwright` and a Chromium (`playwright install chromium`)",
    Framework.PLAYWRIGHT_TEST: "for the test: a Chromium (`npx playwright install chromium`)",
}


def bisect_script(repository: Repository, serve: Serve, *, framework: Framework, test: str) -> str:
    """Return the script; `test` is the name of the reproduction, which lies beside it."""
    head = _HEAD.format(name="./bisect.sh", project=repository.project, test=test, runner=_RUNNERS[framework])
    parts = urlsplit(serve.ready)
    lines = [
        f"framework={framework} test={shlex.quote(test)}",
        f"install={shlex.quote(repository.stack.commands.install or 'true')}",
        f"serve={shlex.quote(serve.run.replace('{port}', '$PORT'))}",
        "settings() {",
        f"  ready={_with_port(serve.ready)} base_url={_with_port(f'{parts.scheme}://{parts.netloc}')}",
        *(f"  export {name}={_in_scratch(value)}" for name, value in repository.stack.variables.items()),
        *(f"  {_needed(key)}" for key in serve.with_),
        "}",
    ]
    return head + "\n".join(lines) + "\n" + _BODY.read_text(encoding="utf-8")


def _with_port(text: str) -> str:
    return '"$PORT"'.join(shlex.quote(part) if part else "" for part in PORT.split(text))


def _in_scratch(value: str) -> str:
    found = re.match(r"\$CI_PROJECT_DIR(/.*)", value)
    return f'"$scratch"{shlex.quote(found[1])}' if found else shlex.quote(value)


def _needed(key: str) -> str:
    variable = address_variable(key)
    return f'[ -n "${{{variable}:-}}" ] || cannot_tell "start {key} and set {variable} to its address"'
