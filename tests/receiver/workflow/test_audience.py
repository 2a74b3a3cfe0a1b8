"""Who may read what a run found, as one table."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.language import PlanOutcome
from receiver.workflow import audience
from receiver.workflow.audience import Audience, Readers, may_read

E, N, T = Readers.EVERYBODY, Readers.NAMED, Readers.RESTRICTED_TICKET


@pytest.mark.parametrize(
    ("who", "readers"),
    [(Audience.PUBLIC, {E, N, T}), (Audience.RESTRICTED, {N}), (Audience.WITHHELD, {T})],
)
def test_only_a_public_run_is_told_to_everybody(who: Audience, readers: set[Readers]) -> None:
    assert {one for one in Readers if may_read(one, who)} == readers
    assert who.is_public == (E in readers)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"is_confidential": False, "names_readers": False}, Audience.PUBLIC),
        ({"is_confidential": False, "names_readers": True}, Audience.PUBLIC),
        ({"is_confidential": True, "names_readers": True}, Audience.RESTRICTED),
        ({"is_confidential": True, "names_readers": False}, Audience.WITHHELD),
    ],
)
def test_the_catalogue_says_who_reads_what_is_confidential(facts: dict[str, bool], expected: Audience) -> None:
    assert audience.of(**facts) is expected


def test_a_level_and_a_security_concern_make_a_run_confidential_and_nothing_else_does(world: Any) -> None:
    public = [event for event in world.every_kind() if event != world.restricted()]
    assert not [event for event in public if audience.is_confidential_by(event)]
    for event in (
        world.restricted(),
        world.restricted(""),
        world.refreshed(security_level="Internal"),
        world.planned(PlanOutcome.SECURITY_CONCERN),
    ):
        assert audience.is_confidential_by(event)
