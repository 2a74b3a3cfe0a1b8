"""Every kind of event has words for people."""

import typing

from receiver.store.jobs import job_refusals
from receiver.workflow import event_names
from receiver.workflow.events.event import Event


def test_every_event_has_a_name_in_words() -> None:
    assert set(event_names.EVENTS) == {kind.__name__ for kind in typing.get_args(Event)} | {job_refusals.KIND}
    assert not [text for text in event_names.EVENTS.values() if "_" in text or text.istitle()]


def test_what_is_not_known_keeps_its_name() -> None:
    assert event_names.event("Something") == "Something"
