"""The reproduction phase as a job: what it takes from the model, what it keeps, and how an honest no ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.language import ArtifactKind, Framework, Phase, PhaseReport, ReportOutcome
from pipelines.language.repository import Reproduction
from sandbox.scenario_format import Conversation

pytestmark = pytest.mark.acceptance

RunJob = Callable[[Phase], "subprocess.CompletedProcess[str]"]
PATH = "tests/reproduction/test_names.py"
RED = """
def test_a_name_with_an_apostrophe_is_taken(playwright, base_url):
    client = playwright.request.new_context(base_url=base_url)
    answer = client.post("/api/contacts", data={"name": "Maeve O'Brien", "role": "guardian"})
    assert answer.status == 201, answer.text()
"""
ONCE = """
def test_it_is_the_first_one(playwright, base_url):
    client = playwright.request.new_context(base_url=base_url)
    client.post("/api/contacts", data={"name": "Zoe Zimmer", "role": "guardian"})
    assert len(client.get("/api/contacts?q=zimmer").json()["contacts"]) == 2
"""


WHO = "-c user.name=t -c user.email=t@example.org"
COMMIT = f"git add --all && git {WHO} commit --quiet --message=Show && git rev-parse HEAD"


def use(name: str, **given: Any) -> dict[str, Any]:
    return {"tool_use": [{"name": name, "input": given}]}


def converse(receiver: Any, *turns: dict[str, Any]) -> None:
    told = {"phase": "reproduction", "repository": "payk12/contacts", "turns": turns}
    receiver.converse(msgspec.convert(told, Conversation))


def claim(**facts: Any) -> dict[str, Any]:
    given = {"reproduced": True, "test_path": PATH, "symptom": "500 instead of 201", "steps": ["Save the name"]}
    return use("submit_reproduction", **{**given, "existing_test": False, "question": "", **facts})


def reported(receiver: Any, do_job: RunJob) -> tuple[PhaseReport, str]:
    done = do_job(Phase.REPRODUCTION)
    assert receiver.new_reports(), done.stdout + done.stderr
    return receiver.new_reports()[-1], done.stdout


def kinds(report: PhaseReport) -> dict[str, ArtifactKind]:
    return {Path(one.path).name: one.kind for one in report.artifacts}


def test_an_application_is_reproduced_over_its_interface_and_leaves_what_people_need(
    receiver: Any, do_job: RunJob, project_dir: Path
) -> None:
    (repository,) = receiver.catalogue.repositories.values()
    other = Reproduction(framework=Framework.PLAYWRIGHT_TEST)
    receiver.catalogue.repositories[repository.project] = msgspec.structs.replace(repository, reproduction=other)
    converse(receiver, use("write", file_path=PATH, content=RED), claim())
    report, log = reported(receiver, do_job)
    assert "no package.json of contacts names @playwright/test: its reproduction is a pytest file" in log
    assert report.outcome is ReportOutcome.SUCCEEDED, log
    assert report.result.framework is Framework.PYTEST
    assert report.result.tests == ("test_a_name_with_an_apostrophe_is_taken",)
    assert not report.result.existing_test
    kept = kinds(report)
    assert kept["bisect.sh"] is ArtifactKind.BISECT
    assert {"junit-before.xml", "junit-before-again.xml", "exchanges-before.jsonl", "server-before.log"} <= set(kept)
    assert ArtifactKind.SCREENSHOT not in kept.values()  # there was no page
    report_of_it = (project_dir / ".bug-fix/reproduction/junit-before.xml").read_text()
    assert 'classname="reproduction on the unpatched code (must fail)"' in report_of_it
    exchanges = (project_dir / ".bug-fix/reproduction/exchanges-before.jsonl").read_text()
    assert '"method":"POST"' in exchanges
    assert "Maeve O'Brien" in exchanges


def test_a_failure_that_does_not_come_again_is_not_a_reproduction(receiver: Any, do_job: RunJob) -> None:
    (repository,) = receiver.catalogue.repositories.values()
    serve = msgspec.structs.replace(repository.serve, run="DATABASE=contacts.db PYTHONPATH=src python -m contacts")
    receiver.catalogue.repositories[repository.project] = msgspec.structs.replace(repository, serve=serve)
    converse(
        receiver,
        use("write", file_path=PATH, content=ONCE),
        claim(),
        claim(reproduced=False, test_path="", question="What did you type?"),
    )
    report, log = reported(receiver, do_job)
    assert "It failed for the right reason, and not when it was run once more: The test passes" in log
    assert report.outcome is ReportOutcome.NOT_REPRODUCED
    assert report.result.question == "What did you type?"
    assert report.reason == (
        "The agent could not show the bug. Question to the reporter: What did you type? "
        "Seen instead: 500 instead of 201. Tried: Save the name."
    )
    assert report.result.steps == ("Save the name",)


def test_a_test_that_the_repository_has_already_is_taken_as_it_stands_and_no_other_is_taken_for_one(
    receiver: Any, do_job: RunJob, project_dir: Path
) -> None:
    test = receiver.repository / PATH
    test.parent.mkdir(parents=True)
    test.write_text(RED)
    receiver.base_sha = subprocess.check_output(["/bin/sh", "-c", COMMIT], cwd=receiver.repository, text=True).strip()
    new = PATH.replace("names", "other_names")
    converse(
        receiver,
        use("write", file_path=new, content=RED),
        claim(existing_test=True, test_path=new),
        use("bash", command=f"echo '# mine' >> {PATH}"),
        claim(existing_test=True),
        use("bash", command=f"git checkout {PATH}"),
        claim(existing_test=True),
    )
    report, log = reported(receiver, do_job)
    transcript = (project_dir / ".bug-fix/reproduction/transcript.jsonl").read_text()
    assert f"{new} is not in the repository's base commit" in transcript
    assert f"{PATH} was changed since the base commit" in transcript
    assert report.outcome is ReportOutcome.SUCCEEDED, log
    assert report.result.existing_test
    assert report.result.test_path == PATH
