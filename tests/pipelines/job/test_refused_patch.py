"""A patch that breaks a rule is refused, the model is told, and when it does not mend it the job's report says why."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipelines.language import Limits, Phase, ReportOutcome
from sandbox.scenario import Conversation

pytestmark = pytest.mark.acceptance

RunJob = Callable[[Phase], "subprocess.CompletedProcess[str]"]

FIX = {"summary": "s", "files": [], "risk": "low", "rollback": "revert", "documentation": "none"}
REFUSED = {
    "touches CI": (
        "echo 'evil: {script: env}' >> .gitlab-ci.yml",
        "`.gitlab-ci.yml` belongs to git or GitLab (.git…); the bot does not touch it.",
    ),
    "holds a secret": (
        "printf 'TOKEN = \"%s-%s\"\\n' glpat x9K2mPq7RtVw3ZyB4nLd > src/settings.py",
        "`src/settings.py` line 1 looks like a secret",
    ),
    "a symlink": ("ln -s /etc/passwd src/users", "`src/users` is a symbolic link; only plain files are taken."),
    "has a name in another case": (
        "echo x > ReadMe.md",
        "`ReadMe.md` would be one with `README.md`, which the commit has, on some machines;",
    ),
    "leaves its paths": (
        "mkdir deploy && echo x > deploy/values.yml",
        "`deploy/values.yml` is outside of the paths that the catalogue allows: src/**, tests/**.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_patch_that_breaks_a_rule_ends_as_rejected_with_its_sentence(
    receiver: Any, run_job: RunJob, what: str
) -> None:
    command, sentence = REFUSED[what]
    receiver.accepted(patch=b"", test=b"")
    receiver.limits = Limits(max_turns=2, max_seconds=300)
    (repository,) = receiver.catalogue.repositories.values()
    allowed = ("src/**", "tests/**") if what == "leaves its paths" else ("**",)
    narrowed = {repository.project: msgspec.structs.replace(repository, paths_allowed=allowed)}
    receiver.catalogue = msgspec.structs.replace(receiver.catalogue, repositories=narrowed)
    turns = [
        {"tool_use": [{"name": "bash", "input": {"command": command}}, {"name": "submit_fix", "input": FIX}]},
        {"tool_use": [{"name": "submit_fix", "input": FIX}]},
    ]
    about = {"phase": "implementation", "repository": "payk12/contacts"}
    receiver.converse(msgspec.convert({**about, "turns": turns}, Conversation))
    done = run_job(Phase.IMPLEMENTATION)
    assert done.returncode == 3, done.stdout
    (report,) = receiver.new_reports()
    assert report.outcome is ReportOutcome.REJECTED
    assert report.reason.startswith(f"The patch is refused: {sentence}")
    assert "The agent did not mend that. The agent used all of its 2 turns" in report.reason
    assert done.stdout.count(sentence) >= 2  # when it was handed in, and at the end
    assert report.refused_calls == 2
