"""Whether nothing moves any more between the vendors and the receiver: what a run's story says then is final."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2

from sandbox.demo.story import Reader, Story
from sandbox.demo.world import World
from sandbox.scenario_format import Expected

OVER = frozenset({"success", "failed", "canceled", "skipped"})
"""Statuses in which a pipeline stays."""


def is_complete(story: Story, expected: Expected) -> bool:
    """Return whether all pipelines, effects and model calls of a story have ended."""
    own = story.own_pipelines()
    pipelines = all(pipeline.status in OVER for pipeline in story.pipelines)
    theirs = all(project in own and own[project].status in OVER for project in expected.own_pipelines)
    effects = all(act.state != "pending" for act in story.effects)
    return pipelines and theirs and effects and story.costs.total.unsettled == 0


def final_story(world: World, reader: Reader, story: Story, expected: Expected) -> Story | None:
    """Return the run's story once all hooks were sent and decided; None while something may still change it.

    A story that looks complete may have been read before the last hooks were decided. So it is read again between two
    looks at which nothing was on its way, and between which no delivery came in.
    """
    if not is_complete(story, expected):
        return None
    before = _at_rest(world, reader)
    again = reader.story(story.run.issue_key) if before is not None else None
    if again is None or not is_complete(again, expected) or _at_rest(world, reader) != before:
        return None
    return again


def _at_rest(world: World, reader: Reader) -> Mapping[str, int] | None:
    """Return how many deliveries ended in each verdict; None while a hook is on its way or waits for its verdict."""
    if world.vendors is None:
        return None
    for vendor in (world.vendors.gitlab, world.vendors.jira):
        if not httpx2.get(f"{vendor['url']}/_sandbox/state", timeout=20).raise_for_status().json()["hooks_idle"]:
            return None
    verdicts = reader.deliveries()
    return None if "waiting" in verdicts else verdicts
