"""`approve remedy N` and `reject remedy N`: which remedy is meant, and what is done about it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import ProjectPath
from pipelines.language.remedy import Action
from receiver.comments.command_line import Command
from receiver.workflow.commands.given_command import Given, Refused
from receiver.workflow.commands.remedy_answers import answered
from receiver.workflow.effects import AnswerRemedy, RemedyAnswer
from receiver.workflow.messages import NoteMessage, TerminalMessage
from receiver.workflow.person import AccountId, Directory, Person
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import MergeRequestView, RemedyView, Run, RunStatus
from tests.plans import CONTACTS

OTHER = ProjectPath("payk12/api")


def remedy(iteration: int, state: RemedyState, action: Action = Action.SUGGEST) -> RemedyView:
    return RemedyView(iteration=iteration, repository=CONTACTS, remedy="nullable", state=state, action=action)


REMEDIES = (
    remedy(2, RemedyState.RED),
    remedy(3, RemedyState.SHOWN, Action.COMMIT),
    remedy(4, RemedyState.SHOWN),
    remedy(5, RemedyState.ACCEPTED, Action.PROPOSE),
)


@pytest.fixture
def run(world: Any) -> Run:
    views = tuple(
        MergeRequestView(repository=path, project_id=number, iid=1, state="opened")
        for number, path in ((2, CONTACTS), (3, OTHER))
    )
    found: Run = replace(world.run(RunStatus.IN_REVIEW), remedies=REMEDIES, merge_requests=views)
    return found


def said(*words: str, hint: str = "", project: int | None = None) -> Given:
    message = TerminalMessage(request="1") if project is None else NoteMessage(project_id=project, iid=1, note=7)
    mara = Person(directory=Directory.GITLAB, account=AccountId("3"), name="Mara")
    return Given(command=Command(word="approve", arguments=("remedy", *words), hint=hint), person=mara, message=message)


@pytest.mark.parametrize("answer", RemedyAnswer)
@pytest.mark.parametrize("project", [None, 2])
def test_the_number_names_a_remedy_of_the_run(run: Run, answer: RemedyAnswer, project: int | None) -> None:
    decision = answered(said("3", "not", "here", hint="please", project=project), run, answer)
    assert not isinstance(decision, Refused)
    (effect,) = decision.effects
    assert effect == AnswerRemedy(
        iteration=4, repository=CONTACTS, answer=answer, who=said("3").who, reason="not here please"
    )


@pytest.mark.parametrize(
    ("number", "project", "why"),
    [
        ("0", None, "There is no remedy 0 here"),
        ("9", None, "There is no remedy 9 here"),
        ("1", None, "There is no remedy 1 here"),
        ("3", 3, "There is no remedy 3 here"),
        ("3", 9, "There is no remedy 3 here"),
        ("2", None, "Remedy 2 is part of the change already"),
        ("4", None, "Remedy 4 is accepted already."),
    ],
    ids=["zero", "too many", "red", "another repository", "no merge request of the run", "in the change", "over"],
)
def test_another_is_refused_with_a_sentence(run: Run, number: str, project: int | None, why: str) -> None:
    refused = answered(said(number, project=project), run, RemedyAnswer.ACCEPT)
    assert isinstance(refused, Refused)
    assert refused.why.startswith(why)


@pytest.mark.parametrize("state", RemedyState)
@pytest.mark.parametrize("action", Action)
def test_a_commit_beside_which_a_remedy_is_offered_was_not_tested_as_a_whole(
    run: Run, state: RemedyState, action: Action
) -> None:
    there = replace(run, remedies=(remedy(2, state, action),))
    assert there.offers_remedy(CONTACTS, iteration=2) is (action in {Action.SUGGEST, Action.PROPOSE})
    assert not there.offers_remedy(OTHER, iteration=2)
    assert not there.offers_remedy(CONTACTS, iteration=3)  # a later attempt was tested without it
    assert not there.offers_remedy(CONTACTS, iteration=None)
