"""Every kind of effect has one row, and each row says something that makes sense."""

from msgspec.structs import fields

from receiver.workflow import effects
from receiver.workflow.effect_table import EFFECTS
from receiver.workflow.effects import Effect
from receiver.workflow.run import RunStatus


def kinds() -> dict[str, type[Effect]]:
    found = {name: kind for name, kind in vars(effects).items() if isinstance(kind, type) and not name.startswith("_")}
    return {name: kind for name, kind in found.items() if issubclass(kind, Effect)}


def test_every_kind_of_effect_has_a_row() -> None:
    assert {rule.effect for rule in EFFECTS.rules.values()} == set(kinds().values()) - {Effect}


def test_what_is_wanted_once_is_told_apart_by_fields_that_the_effect_has() -> None:
    for rule in EFFECTS.rules.values():
        assert set(rule.once or ()) <= {field.name for field in fields(rule.effect)}, rule.kind
        assert not (rule.only_latest and rule.once is not None), rule.kind


def test_every_name_is_words_in_the_imperative_and_no_two_are_the_same() -> None:
    names = [rule.name for rule in EFFECTS.rules.values()]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "_" in name or not name[0].islower() or name.endswith(".")]


def test_an_effect_that_a_newer_version_stored_keeps_its_name_and_stops_no_run() -> None:
    assert EFFECTS.name("DoSomething") == "DoSomething"
    assert EFFECTS.failure("DoSomething", RunStatus.RUNNING) == ""


def test_a_run_that_waits_for_people_can_not_go_on_when_they_can_not_see_what_it_waits_for() -> None:
    waits = {(rule.kind, status) for rule in EFFECTS.rules.values() for status in RunStatus if needs(rule.kind, status)}
    assert ("AskReporter", RunStatus.NEEDS_INFORMATION) in waits
    assert ("AskReporter", RunStatus.RUNNING) not in waits
    assert ("PostPlan", RunStatus.AWAITING_APPROVAL) in waits


def test_a_queued_run_whose_turn_could_not_be_offered_ends_and_one_that_began_goes_on() -> None:
    assert [status for status in RunStatus if needs("OfferTurn", status)] == [RunStatus.QUEUED]


def needs(kind: str, status: RunStatus) -> bool:
    return bool(EFFECTS.failure(kind, status))
