"""A run whose patch was refused says so, with the guard's own sentence."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from pipelines.language import Phase, ReportOutcome
from pipelines.language.change_set import SYMLINK
from pipelines.language.policy import Policy
from pipelines.patch import examine
from pipelines.secrets import find_secrets
from receiver.workflow.run import RunStatus
from tests.changes import change_set, file_change

SECRETS = partial(find_secrets, allowed=())
CHANGES = {
    "touches CI": (file_change(".gitlab-ci.yml", None, "evil: {}"), "`.gitlab-ci.yml` belongs to git or GitLab"),
    "holds a secret": (
        file_change("src/a.py", None, "T = 'glpat-" + "x9K2mPq7RtVw3ZyB4nLd'"),
        "looks like a secret",
    ),
    "a symlink": (file_change("src/users", None, "/etc/passwd", mode=SYMLINK), "`src/users` is a symbolic link"),
    "leaves its paths": (
        file_change("deploy/x.yml", None, "x"),
        "is outside of the paths that the catalogue allows: src/**",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_run_says_why_its_patch_was_refused(world: Any, what: str) -> None:
    file, sentence = CHANGES[what]
    allowed = ("src/**", "tests/**", ".gitlab-ci.yml")
    refused = examine(
        change_set(file), lambda _: None, folders=lambda _: (), allowed=allowed, policy=Policy(), secrets=SECRETS
    )
    world.policy(iterations=1)
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
