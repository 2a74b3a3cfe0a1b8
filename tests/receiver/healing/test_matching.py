"""What always holds of matching: order, strictness, and that untrusted lines can't make it slow."""

import time
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from pipelines.language import Check, CheckOutput, Diagnosis, DiagnosisKind, Phase
from pipelines.language.remedy import Action, Healing, Match, Remedy
from receiver.healing.matching import matches, remedies_for, stricter
from receiver.healing.phrases import says

ACTIONS = list(Action)
WORDS = st.sampled_from(["would reformat", "CS8618", "expected*called", "ERESOLVE"])
MATCHES = st.builds(
    Match,
    kinds=st.lists(st.sampled_from(DiagnosisKind), max_size=2).map(tuple),
    phases=st.lists(st.sampled_from(Phase), max_size=2).map(tuple),
    checks=st.lists(st.sampled_from(Check), max_size=1).map(tuple),
    says=st.lists(WORDS, max_size=2).map(tuple),
    stacks=st.lists(st.sampled_from(["python", "nextjs"]), max_size=1).map(tuple),
)
REMEDIES = st.builds(
    Remedy,
    id=st.sampled_from("abcdefgh"),
    title=st.just("t"),
    match=MATCHES,
    remedy=st.just("r"),
    tier=st.integers(1, 3),
    confidence=st.decimals(0, 1, places=2),
    action=st.sampled_from(Action),
)
LINES = st.one_of(st.text(max_size=60), WORDS.map(lambda one: f"x {one.replace('*', ' to have been ')} y"))
DIAGNOSES = st.builds(
    Diagnosis,
    kind=st.sampled_from(DiagnosisKind),
    phase=st.one_of(st.none(), st.sampled_from(Phase)),
    messages=st.lists(LINES, max_size=2).map(tuple),
    output=st.lists(
        st.builds(CheckOutput, check=st.sampled_from(Check), lines=st.lists(LINES, max_size=3).map(tuple)), max_size=2
    ).map(tuple),
)
HEALING = st.builds(
    Healing,
    remedies=st.lists(REMEDIES, max_size=6, unique_by=lambda one: one.id).map(tuple),
    at_least=st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(Action), max_size=4),
)


@given(DIAGNOSES, HEALING)
def test_the_most_confident_remedy_comes_first_and_the_order_never_wavers(
    diagnosis: Diagnosis, healing: Healing
) -> None:
    found = remedies_for(diagnosis, stack="python", healing=healing)
    confidences = [one.remedy.confidence for one in found]
    assert confidences == sorted(confidences, reverse=True)
    turned = Healing(remedies=tuple(reversed(healing.remedies)), at_least=healing.at_least)
    assert remedies_for(diagnosis, stack="python", healing=turned) == found


@given(DIAGNOSES, HEALING)
def test_a_policy_only_makes_an_action_stricter(diagnosis: Diagnosis, healing: Healing) -> None:
    declared = remedies_for(diagnosis, stack="python", healing=Healing(remedies=healing.remedies))
    held = remedies_for(diagnosis, stack="python", healing=healing)
    assert {one.remedy.id for one in held} <= {one.remedy.id for one in declared}
    for one in held:
        assert ACTIONS.index(one.action) >= ACTIONS.index(one.remedy.action)
        assert one.action is not Action.NEVER


def test_of_two_actions_the_stricter_holds_whichever_comes_first() -> None:
    for one, other in product(Action, Action):
        found = stricter(one, other)
        assert found is stricter(other, one)
        assert ACTIONS.index(found) == max(ACTIONS.index(one), ACTIONS.index(other))


@given(DIAGNOSES, MATCHES, st.sampled_from(["python", "nextjs"]))
def test_one_more_condition_never_matches_more(diagnosis: Diagnosis, match: Match, stack: str) -> None:
    if not matches(match, diagnosis, stack=stack):
        return
    for name in ("kinds", "phases", "says", "stacks"):
        fields = {field: getattr(match, field) for field in Match.__struct_fields__}
        assert matches(Match(**{**fields, name: ()}), diagnosis, stack=stack)


@given(st.text(), st.text(), st.text())
def test_a_phrase_is_said_by_every_line_that_holds_its_parts_in_order(before: str, between: str, after: str) -> None:
    assert says(f"{before}Expected 'x'{between}to have been CALLED{after}", "expected*called")


def test_parts_in_another_order_say_something_else() -> None:
    assert not says("called as expected", "expected*called")
    assert not says("aa", "a*aa")


def test_what_a_check_printed_is_asked_only_of_that_check() -> None:
    match = Match(checks=(Check.LINT,), says=("would reformat",))
    printed = CheckOutput(check=Check.TESTS, lines=("would reformat",))
    both = (CheckOutput(check=Check.LINT, lines=("F401",)), printed)
    for output in ((printed,), both):
        diagnosis = Diagnosis(kind=DiagnosisKind.REGRESSION, messages=("would reformat",), output=output)
        assert not matches(match, diagnosis, stack="python")


def test_a_hostile_line_takes_no_longer_than_its_length() -> None:
    line = "a" * 200_000
    begun = time.process_time()
    assert not says(line, "a*" * 30 + "b")
    assert time.process_time() - begun < 1
