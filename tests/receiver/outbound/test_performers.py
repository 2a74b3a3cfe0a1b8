from receiver.outbound.effects.performers import PERFORMERS
from receiver.workflow.effect_table import EFFECTS


def test_every_row_of_the_effect_table_has_a_function_that_performs_it() -> None:
    assert set(PERFORMERS) == {rule.effect for rule in EFFECTS.rules.values()}
