"""What stands where only some read it steers a public run, but its words are told to nobody else."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pipelines.language.catalogue import Confidential
from pipelines.language.remedy import Action
from receiver.workflow.audience import Audience
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.commands.confidences import NOT_AN_ANSWER, WORDS_LEFT
from receiver.workflow.effects import AnswerComment, AnswerRemedy, RefreshTicket, RemedyAnswer
from receiver.workflow.end_codes import EndCode
from receiver.workflow.messages import Venue
from receiver.workflow.person import Right
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Decision, RemedyView, RunStatus

S = RunStatus
SECRET = "zanzibar"
ONLY_SOME: list[dict[str, Any]] = [{"readers": Confidential(role="Developers")}, {"is_internal": True}]


def told_to_others(decision: Decision) -> str:
    """Return all that a decision says but the answer, which only those read who read the comment."""
    others = tuple(one for one in decision.effects if not isinstance(one, AnswerComment))
    return msgspec.json.encode(replace(decision, effects=others, answered=None)).decode()


def answer_of(decision: Decision) -> AnswerComment:
    [found] = [one for one in decision.effects if isinstance(one, AnswerComment)]
    return found


@pytest.mark.parametrize("only", ONLY_SOME)
@pytest.mark.parametrize("word", [*CommandWord, SECRET])
@pytest.mark.parametrize("said", [f" {SECRET}", f" -- {SECRET}", f" plan {SECRET} -- {SECRET}"])
def test_no_word_of_a_comment_that_only_some_read_is_told_to_others(
    world: Any, only: dict[str, Any], word: str, said: str
) -> None:
    for status in S:
        event = replace(world.read(f"{word}{said}", author=world.person(*Right)), **only)
        decision = world.decide(event, world.run(status))
        assert SECRET not in told_to_others(decision), (status, decision.reason)
        answer = answer_of(decision)
        assert (answer.readers, answer.is_internal) == (event.readers, event.is_internal)


@pytest.mark.parametrize(
    "word", [one for one, rule in RULES.items() if (rule.takes_hint or rule.is_free) and Venue.TICKET in rule.where]
)
@pytest.mark.parametrize("only", ONLY_SOME)
def test_a_command_is_obeyed_without_its_words_and_its_author_is_told(
    world: Any, word: CommandWord, only: dict[str, Any]
) -> None:
    event = replace(world.read(f"{word} -- {SECRET}", author=world.person(*Right)), **only)
    status = (
        S.AWAITING_APPROVAL if word is CommandWord.REJECT else S.ESCALATED if word is CommandWord.RETRY else S.RUNNING
    )
    decision = world.decide(event, world.run(status))
    assert decision.answered is not None
    assert decision.answered.is_obeyed
    assert answer_of(decision).text == f"{decision.reason} {WORDS_LEFT}"


def test_a_command_without_words_is_answered_as_anywhere(world: Any) -> None:
    event = replace(world.read("escalate", author=world.person(*Right)), is_internal=True)
    decision = world.decide(event, world.run(S.RUNNING))
    assert decision.end is not None
    assert decision.end.code is EndCode.HANDED_OVER
    assert answer_of(decision).text == decision.reason


@pytest.mark.parametrize("only", ONLY_SOME)
def test_where_the_run_is_confidential_the_words_count(world: Any, only: dict[str, Any]) -> None:
    event = replace(world.read(f"reject -- {SECRET}", author=world.person(*Right)), **only)
    decision = world.decide(event, world.run(S.AWAITING_APPROVAL, audience=Audience.RESTRICTED))
    [again] = [one for one in decision.effects if isinstance(one, RefreshTicket)]
    assert again.hint == SECRET


@pytest.mark.parametrize("only", ONLY_SOME)
def test_an_answer_that_only_some_read_is_not_taken_and_its_author_is_told_why(
    world: Any, only: dict[str, Any]
) -> None:
    event = replace(world.read(None, author=world.person(Right.REPORTER)), **only)
    decision = world.decide(event, world.run(S.NEEDS_INFORMATION))
    assert not [one for one in decision.effects if isinstance(one, RefreshTicket)]
    assert answer_of(decision).text == NOT_AN_ANSWER
    hidden = world.decide(event, world.run(S.NEEDS_INFORMATION, audience=Audience.RESTRICTED))
    assert [one for one in hidden.effects if isinstance(one, RefreshTicket)]


@pytest.mark.parametrize("only", ONLY_SOME)
def test_a_remedy_is_dismissed_by_its_number_without_the_words_behind_it(world: Any, only: dict[str, Any]) -> None:
    offered = RemedyView(
        iteration=2,
        repository=world.repository,
        remedy="nullable",
        state=RemedyState.SHOWN,
        action=Action.SUGGEST,
    )
    run = replace(world.run(S.IN_REVIEW), remedies=(offered,))
    said = f"reject remedy 1 {SECRET} -- {SECRET}"
    decision = world.decide(replace(world.read(said, author=world.person(*Right)), **only), run)
    [wanted] = [one for one in decision.effects if isinstance(one, AnswerRemedy)]
    assert (wanted.answer, wanted.iteration, wanted.reason) == (RemedyAnswer.REJECT, 2, "")
    assert not [one for one in decision.effects if isinstance(one, RefreshTicket)]
    assert SECRET not in told_to_others(decision)
