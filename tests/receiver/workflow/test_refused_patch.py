"""A run whose patch was refused says so, with the guard's own sentence."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pipelines.language import Phase, ReportOutcome
from pipelines.language.catalogue import Policy
from pipelines.patch import examine, inspect
from pipelines.secrets import find_secrets
from receiver.workflow.run import RunStatus

NEW = b"diff --git a/%s b/%s\nnew file mode %s\n--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n"


SECRETS = partial(find_secrets, allowed=())


def added(path: bytes, text: bytes, mode: bytes = b"100644") -> bytes:
    return NEW % (path, path, mode, path, text)


PATCHES = {
    "touches CI": (added(b".gitlab-ci.yml", b"evil: {}"), "`.gitlab-ci.yml` belongs to git or GitLab"),
    "holds a secret": (added(b"src/a.py", b"T = 'glpat-" + b"x9K2mPq7RtVw3ZyB4nLd'"), "looks like a secret"),
    "a symlink": (added(b"src/users", b"/etc/passwd", b"120000"), "`src/users` is a symbolic link"),
    "leaves its paths": (added(b"deploy/x.yml", b"x"), "is outside of the paths that the catalogue allows: src/**"),
}


@pytest.mark.parametrize("what", PATCHES)
def test_the_run_says_why_its_patch_was_refused(world: Any, what: str) -> None:
    patch, sentence = PATCHES[what]
    allowed = ("src/**", "tests/**", ".gitlab-ci.yml")
    refused = examine(inspect(patch), lambda _: None, allowed=allowed, policy=Policy(), secrets=SECRETS)
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.accepted(Phase.ANALYSIS))
    reason = f"The patch is refused: {' '.join(refused)}"
    run, told = world.apply(run, world.discarded(Phase.IMPLEMENTATION, ReportOutcome.REJECTED, reason))
    assert any(type(effect).__name__ == "UpdateTicketNote" for effect in told.effects)
    run, _ = world.apply(run, world.job("implementation: payk12/contacts", "failed", failure_reason="script_failure"))
    run, _ = world.apply(run, world.pipeline("failed"))
    _, end = world.apply(run, world.settled())
    assert end.status is RunStatus.ESCALATED
    assert "The job implementation: payk12/contacts failed: The patch is refused: " in end.reason
    assert sentence in end.reason
