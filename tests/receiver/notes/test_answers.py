"""Answers to commands, word for word, on both sides."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from receiver.store.story import Story
from receiver.store.story.history import Moment
from receiver.workflow.audience import Audience
from receiver.workflow.commands import command_grammar
from receiver.workflow.commands.command_table import RULES
from receiver.workflow.effects import AnswerComment, AnswerNote, AnswerTopic
from receiver.workflow.messages import Venue
from receiver.workflow.person import AccountId
from receiver.workflow.run import RunStatus
from tests.receiver.notes.test_hostile import HOSTILE
from tests.receiver.notes.test_writer import GITLAB, NOW, a_story, changed, shown, status_notes

NOTES = status_notes()
STORY = "https://receiver.example/runs/0123456789abcdef"
HEAD = "<!-- bug-fix:run=0123456789abcdef;answer:2:9 -->\n"
FOOT = "\nbug-fix:run=0123456789abcdef;answer:9\n"


@pytest.fixture
def story() -> Story:
    decided = [
        ("IssueCommented", "acted", "A comment on the run's ticket; it is read.", None),
        ("TicketAdmitted", "acted", "PL-479 can be worked on.", "starting"),
        ("JobChanged", "noted", "Job analysis is running.", None),
        ("ReportAccepted", "acted", "The fix is reproduced, tested and submitted.", "opening"),
    ]
    moments = tuple(
        Moment(
            at=NOW + timedelta(minutes=number),
            event=event,
            verdict=verdict,
            reason=reason,
            status_before="admitting",
            status_after=after,
            delivery=None,
            effect=None,
        )
        for number, (event, verdict, reason, after) in enumerate(decided)
    )
    return replace(a_story(), moments=moments)


def on_merge_request(story: Story, topic: AnswerTopic, text: str = "", name: str = "Mara") -> str:
    effect = AnswerNote(project_id=2, iid=1, note=9, text=text, topic=topic, name=name, author=AccountId("3"))
    return shown(NOTES.note_answer(story, effect, "answer:2:9"))


def on_ticket(story: Story, topic: AnswerTopic, text: str = "", name: str = "Mara") -> str:
    effect = AnswerComment(comment="9", text=text, topic=topic, name=name)
    return shown(NOTES.ticket_answer(story, effect, "answer:9"))


def test_a_sentence_names_whom_it_answers_unless_it_begins_with_the_name(story: Story) -> None:
    said = "Nothing waits for approval: the bug fix is in review."
    assert on_merge_request(story, AnswerTopic.SENTENCE, said) == f"{HEAD}→ **Mara:** {said}\n"
    assert on_ticket(story, AnswerTopic.SENTENCE, said) == f"→ *Mara:* {said}{FOOT}"
    own = "Mara cancelled the bug fix."
    assert on_merge_request(story, AnswerTopic.SENTENCE, own) == f"{HEAD}✓ {own}\n"
    assert on_ticket(story, AnswerTopic.SENTENCE, own) == f"✓ {own}{FOOT}"
    assert on_merge_request(story, AnswerTopic.SENTENCE, own, name="") == f"{HEAD}→ {own}\n"


def test_the_status_says_whose_turn_it_is(story: Story) -> None:
    assert on_merge_request(story, AnswerTopic.STATUS) == (
        f"{HEAD}→ **Mara:** bug fix **waiting for review**, iteration 1 of 3, $1.12 of $6.00. "
        f"You need to: review [payk12/contacts\\!1]({GITLAB}/contacts/-/merge_requests/1).\n"
        "\n"
        f"[Pipeline]({GITLAB}/bug-fix/-/pipelines/100) · [story]({STORY})\n"
    )
    assert on_ticket(story, AnswerTopic.STATUS) == (
        "→ *Mara:* bug fix *waiting for review*, iteration 1 of 3, $1.12 of $6.00. "
        f"You need to: review [payk12/contacts\\!1|{GITLAB}/contacts/-/merge_requests/1].\n"
        "\n"
        f"[Pipeline|{GITLAB}/bug-fix/-/pipelines/100] · [story|{STORY}]{FOOT}"
    )


def test_the_cost_is_told_by_phase(story: Story) -> None:
    assert on_merge_request(story, AnswerTopic.COST) == (
        f"{HEAD}→ **Mara:** **$1.12 of $6.00** · analysis $0.48 · implementation $0.64 · [story]({STORY})\n"
    )


def test_what_was_decided_is_explained_without_what_decided_nothing(story: Story) -> None:
    assert on_merge_request(story, AnswerTopic.EXPLAIN) == (
        f"{HEAD}→ **Mara:** what was decided, the newest last; all of it is in the [story]({STORY}).\n"
        "\n"
        "11-22 10:01 PL-479 can be worked on.\n"
        "\n"
        "11-22 10:03 The fix is reproduced, tested and submitted.\n"
    )


def test_help_lists_what_means_something_here_now(story: Story) -> None:
    text = on_merge_request(story, AnswerTopic.HELP)
    named = set(re.findall(r"(?m)^`/bug-fix ([a-z]+)", text))
    here = {
        word.value
        for word, rule in RULES.items()
        if Venue.MERGE_REQUEST in rule.where and RunStatus.IN_REVIEW in rule.when and not rule.later
    }
    assert named == here
    assert "`/bug-fix retry [phase] [repository] [-- hint]` make another attempt" in text
    waits = on_ticket(changed(story, status="awaiting_approval"), AnswerTopic.HELP)
    assert "{{/bug-fix approve" in waits


@pytest.mark.parametrize("audience", sorted(set(Audience) - {Audience.PUBLIC}))
@pytest.mark.parametrize("topic", [AnswerTopic.STATUS, AnswerTopic.EXPLAIN, AnswerTopic.COST, AnswerTopic.HELP])
def test_of_a_confidential_run_nothing_that_was_found_is_told(
    story: Story, audience: Audience, topic: AnswerTopic
) -> None:
    secret = changed(story, audience=audience, status="escalated", reason="SQL injection in contacts.py")
    moments = tuple(replace(one, reason="SQL injection in contacts.py") for one in story.moments)
    secret = replace(secret, moments=moments)
    for text in (on_merge_request(secret, topic), on_ticket(secret, topic)):
        assert "injection" not in text


@pytest.mark.parametrize("text", [*HOSTILE, "/bug-fix cancel", "ok\n/bug-fix cancel"])
def test_no_answer_is_a_command_or_a_quick_action(story: Story, text: str) -> None:
    hostile = changed(story, status="escalated", reason=text, issue_key="PL-1")
    for topic in AnswerTopic:
        note = on_merge_request(hostile, topic, text, name=text)
        assert command_grammar.read_note(note) is None
        assert not re.search(r"(?m)^/[a-z]", note)
        assert command_grammar.read(on_ticket(hostile, topic, text, name=text)) is None
