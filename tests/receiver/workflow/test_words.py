"""Every kind of event and effect has words for people."""

import typing

from receiver.store.jobs import job_refusals
from receiver.workflow import effects, events, words


def test_every_event_and_every_effect_has_a_name_in_words() -> None:
    assert set(words.EVENTS) == {kind.__name__ for kind in typing.get_args(events.Event)} | {job_refusals.KIND}
    assert set(words.EFFECTS) == {kind.__name__ for kind in typing.get_args(effects.Effect)}
    assert not [text for text in (*words.EVENTS.values(), *words.EFFECTS.values()) if "_" in text or text.istitle()]


def test_what_is_not_known_keeps_its_name() -> None:
    assert (words.event("Something"), words.effect("DoSomething")) == ("Something", "DoSomething")
