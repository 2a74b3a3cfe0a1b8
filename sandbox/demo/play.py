"""Play one scenario in a world: label the ticket, follow the run to its end, collect what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx2
from msgspec import Struct

from sandbox.demo.attachments import given
from sandbox.demo.chaos import TROUBLE
from sandbox.demo.processes import DemoError
from sandbox.demo.reactions import Reactions, set_label
from sandbox.demo.spoken import published, spoken, untold
from sandbox.demo.standstill import final_story
from sandbox.demo.story import ENDED, Reader, Story
from sandbox.demo.summary import books, books_equal, caching, keep_artifacts, openings, summary
from sandbox.demo.terminal import Screen
from sandbox.demo.world import READ_TOKEN, World
from sandbox.scenario_format import Expected, Scenario

POLL_S = 0.8
"""Seconds between two looks at the story; each costs the receiver as much as some hooks do."""


class Played(Struct, frozen=True, kw_only=True):
    """How a scenario ended."""

    story: Story
    document: dict[str, Any]
    """The `--json` document."""
    surprises: tuple[str, ...]
    """Where the outcome differs from what the scenario expects; empty: as expected."""


MERGED_OR_CLOSED = frozenset({"merged", "closed"})


def label_ticket(world: World, label: str = "bug-fix") -> None:
    """Set the label in Jira as a person does, by Jira's REST API."""
    if world.vendors is None:
        raise DemoError("The sandbox has not been started.")
    jira = world.vendors.jira
    set_label(world, (jira["person"], jira["person_token"]), label)


def play(
    world: World, scenario: Scenario, screen: Screen, *, evidence: Path, timeout_s: float, chaos: bool = False
) -> Played:
    """Label the ticket, let people react, and follow the run until it ends.

    Raises DemoError when it does not within `timeout_s`.
    """
    began = time.monotonic()
    issue_key = world.vendors.issue_key if world.vendors else ""
    with Reader(world.receiver_url, READ_TOKEN) as reader:
        label_ticket(world)
        screen.line(f"Label bug-fix set on {issue_key} in Jira")
        reactions = Reactions(world, scenario.reactions, screen)
        story, handed_over = _follow(
            world, reader, screen, reactions, scenario.expected, began=began, timeout_s=timeout_s, chaos=chaos
        )
        duration_s = time.monotonic() - began
        screen.close()
        screen.now("what came of it is being collected")
        deliveries = reader.deliveries()
    kept = keep_artifacts(world, story, evidence)
    told = books(world)
    equal = books_equal(story.costs.total, told)
    document = summary(
        story, handed_over=handed_over, equal=equal, deliveries=deliveries, kept=kept, duration_s=duration_s
    )
    document["ticket_status"] = reactions.ticket_status()
    document["caching"] = caching(told)
    document["spoken"] = [
        *spoken(world, story, scenario.expected.unspoken),
        *published(world, story, scenario.expected.unpublished),
        *untold(world, story, scenario.expected.told),
    ]
    attached = [scenario.folder / one.file for one in scenario.ticket.attachments]
    document["attachments"] = given(attached, openings(world))
    screen.now("")
    surprises = tuple(surprising(document, scenario.expected))
    verdict = {"scenario": scenario.name, "as_expected": not surprises, "surprises": list(surprises)}
    return Played(story=story, document=verdict | document, surprises=surprises)


def _follow(
    world: World,
    reader: Reader,
    screen: Screen,
    reactions: Reactions,
    expected: Expected,
    *,
    began: float,
    timeout_s: float,
    chaos: bool,
) -> tuple[Story, Story | None]:
    """Return the story once the run has ended and its pipelines, hooks and notes have settled.

    Beside it, the story as it was when people last got the run; None: they never did.
    """
    trouble = list(TROUBLE) if chaos else []
    handed_over: Story | None = None
    issue_key = world.vendors.issue_key if world.vendors else ""
    while True:
        elapsed = time.monotonic() - began
        world.alive()
        story = _told(reader, issue_key, patient=chaos)
        if story is None:
            screen.wait(elapsed)
        else:
            screen.show(story, elapsed)
            handed_over = story if story.escalation is not None else handed_over
            reactions.react(story)
            if trouble and trouble[0].due(story):
                trouble.pop(0).make(world, screen)
            elif (
                _is_over(story, reactions, expected)
                and (final := final_story(world, reader, story, expected)) is not None
            ):
                if trouble:
                    raise DemoError(f"The run ended as {story.run.status} before all of --chaos was done to it.")
                if _is_over(final, reactions, expected):
                    return final, final if final.escalation is not None else handed_over
        if elapsed > timeout_s:
            where = "no run was started" if story is None else f"the run is {story.run.status}"
            raise DemoError(f"Not finished after {timeout_s:.0f} s: {where}. Logs: {world.state / 'logs'}")
        time.sleep(POLL_S)


def _is_over(story: Story, reactions: Reactions, expected: Expected) -> bool:
    """Say whether nothing is to come: where the end is that it is merged, its review is not the end."""
    if story.run.status == "in_review" and expected.outcome in MERGED_OR_CLOSED:
        return False
    return reactions.are_done(story) if story.run.status in ENDED else reactions.is_over(story)


def _told(reader: Reader, issue_key: str, *, patient: bool) -> Story | None:
    """Return the story; None if the run does not exist yet, or if `patient` and the receiver does not answer."""
    try:
        return reader.story(issue_key)
    except httpx2.HTTPError:
        if not patient:
            raise
        return None


def surprising(  # noqa: C901  # a row for each thing that a scenario can expect
    document: dict[str, Any], expected: Expected
) -> list[str]:
    """Return where a story ended otherwise than expected, a sentence each."""
    found: list[str] = []

    def compare(what: str, is_: object, should: object) -> None:
        if is_ != should:
            found.append(f"{what} is {is_}, expected {should}")

    compare("outcome", document["outcome"], expected.outcome)
    compare("iterations", document["run"]["iterations"], expected.iterations)
    states = {request["repository"]: request["state"] for request in document["merge_requests"]}
    compare("merge requests", states, expected.merge_requests)
    if expected.own_pipelines:
        own = {repository: one["status"] for repository, one in document["own_pipelines"].items()}
        compare("own pipelines", own, expected.own_pipelines)
    if expected.reproduction is not None:
        compare("reproduction before", document["reproduction"]["before"], expected.reproduction.before)
        compare("reproduction after", document["reproduction"]["after"], expected.reproduction.after)
    if expected.ticket_status is not None:
        compare("the ticket's status", document["ticket_status"], expected.ticket_status)
    if expected.attachments is not None:
        compare("what analysis was given of the attachments", document["attachments"], expected.attachments)
    if expected.commands:
        obeyed = [command["word"] for command in document["commands"] if command["allowed"]]
        compare("commands that were obeyed", obeyed, list(expected.commands))
    if expected.remedies:
        compare("remedies", {one["id"]: one["state"] for one in document["remedies"]}, expected.remedies)
    merges = {repository: merge for repository, merge in document["merge"].items() if merge is not None}
    compare("taken back", [at for at, one in merges.items() if one["reverted_at"]], list(expected.reverted))
    if expected.approved_by:
        counted = sorted({who for one in merges.values() for who in one["approved_by"]})
        compare("whose approvals counted", counted, sorted(expected.approved_by))
    if expected.handed_over is not None:
        told = document["escalation"] or {"question": None, "tried": ()}
        compare("the question to people", told["question"], expected.handed_over.question)
        compare("what people were told of attempts", len(told["tried"]), expected.handed_over.tried)
    share = document["caching"]["read_share"]
    if expected.cache_read_share is not None and (share is None or share < expected.cache_read_share):
        found.append(f"{share} of the input was read from the cache, expected at least {expected.cache_read_share}")
    found += document["spoken"]
    compare("ledger equal to the provider's books", document["books_equal"], should=True)
    return found
