"""A restricted ticket is fixed though the worker is killed and Postgres is restarted, with real processes."""

from typing import Any

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1600)]


def test_a_killed_worker_and_a_restarted_postgres_lose_nothing(chaos: Any) -> None:
    assert any("killed with SIGKILL" in line for line in chaos.lines), "\n".join(chaos.lines[-40:])
    assert any("Postgres was restarted" in line for line in chaos.lines), "\n".join(chaos.lines[-40:])
    assert chaos.exit_code == 0, "\n".join(chaos.lines[-40:])
    assert chaos.out["as_expected"], chaos.out["surprises"]  # nothing of the ticket stands in logs and artifacts either
    assert chaos.out["outcome"] == "in_review"
    assert len(chaos.out["merge_requests"]) == 1
    assert [pipeline["kind"] for pipeline in chaos.out["pipelines"]] == ["parent", "child"]
    assert chaos.out["books_equal"] is True
