"""A patch that breaks a rule is refused, the model is told, and when it does not mend it the job's report says why."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipelines.language import Limits, Phase, ReportOutcome
from sandbox.scenario_format import Conversation

pytestmark = pytest.mark.acceptance

RunJob = Callable[[Phase], "subprocess.CompletedProcess[str]"]

FIX = {"summary": "s", "files": [], "risk": "low", "rollback": "revert", "documentation": "none"}
REFUSED = {
    "echo 'evil: {script: env}' >> .gitlab-ci.yml": (
        "`.gitlab-ci.yml` belongs to git or GitLab (.git…); the bot does not touch it."
    ),
    "printf 'TOKEN = \"%s-%s\"\\n' glpat x9K2mPq7RtVw3ZyB4nLd > src/settings.py": (
        "`src/settings.py` line 1 looks like a secret"
    ),
    "ln -s /etc/passwd src/users": "`src/users` is a symbolic link; only plain files are taken.",
    "echo x > ReadMe.md": "`ReadMe.md` would be one with `README.md`, which the commit has, on some machines;",
    "mkdir deploy; echo x > deploy/values.yml": (
        "`deploy/values.yml` is outside of the paths that the catalogue allows: src/**, tests/**, *.md."
    ),
}
"""What is done to the repository, and what is said of it."""


def test_a_patch_that_breaks_rules_ends_as_rejected_with_a_sentence_on_each(receiver: Any, do_job: RunJob) -> None:
    receiver.accepted(patch=b"", test=b"")
    receiver.limits = Limits(max_turns=2, max_seconds=300)
    (repository,) = receiver.catalogue.repositories.values()
    narrowed = {repository.project: msgspec.structs.replace(repository, paths_allowed=("src/**", "tests/**", "*.md"))}
    receiver.catalogue = msgspec.structs.replace(receiver.catalogue, repositories=narrowed)
    command = "; ".join(REFUSED)
    turns = [
        {"tool_use": [{"name": "bash", "input": {"command": command}}, {"name": "submit_fix", "input": FIX}]},
        {"tool_use": [{"name": "submit_fix", "input": FIX}]},
    ]
    about = {"phase": "implementation", "repository": "payk12/contacts"}
    receiver.converse(msgspec.convert({**about, "turns": turns}, Conversation))
    done = do_job(Phase.IMPLEMENTATION)
    assert done.returncode == 3, done.stdout
    (report,) = receiver.new_reports()
    assert report.outcome is ReportOutcome.REJECTED
    assert report.reason.startswith("The patch is refused: ")
    assert [sentence for sentence in REFUSED.values() if sentence not in report.reason] == []
    assert "The agent did not mend that. The agent used all of its 2 turns" in report.reason
    first = next(iter(REFUSED.values()))
    assert done.stdout.count(first) >= 2  # when it was handed in, and at the end
    assert report.refused_calls == 2
