"""What doctor says of repositories: each that runs leave out is a fault with its reason and its cure."""

from pipelines.language import ProjectPath
from receiver.cli.doctor import Health, readable
from receiver.outbound.effects.repository_heads import Heads

WEB, PORTAL = ProjectPath("acme/web"), ProjectPath("acme/portal")


def test_a_repository_that_is_left_out_is_a_fault_beside_the_others() -> None:
    archived = "acme/portal is archived, so nothing can be committed to it."
    found = list(readable(Heads(shas={WEB: "a" * 40}, left_out={PORTAL: archived})))
    assert [(one.health, one.what) for one in found] == [(Health.BAD, PORTAL), (Health.GOOD, "repositories")]
    assert found[0].sentence == f"left out of every run. {archived} Mend that, or take it out of bug-fix.yml"
    assert found[1].sentence == "1 can be read"


def test_where_none_can_be_read_nothing_is_good() -> None:
    found = list(readable(Heads(shas={}, left_out={WEB: "GitLab answered 404.", PORTAL: "GitLab answered 403."})))
    assert [one.health for one in found] == [Health.BAD, Health.BAD]
