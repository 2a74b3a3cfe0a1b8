"""The bug of PL-479 is fixed though the worker is killed and Postgres is restarted, with real processes."""

from typing import Any

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1600)]


def test_a_killed_worker_and_a_restarted_postgres_lose_nothing(demo: Any) -> None:
    assert any("killed with SIGKILL" in line for line in demo.lines), "\n".join(demo.lines[-40:])
    assert any("Postgres was restarted" in line for line in demo.lines), "\n".join(demo.lines[-40:])
    assert demo.exit_code == 0, "\n".join(demo.lines[-40:])
    assert demo.out["as_expected"], demo.out["surprises"]
    assert len(demo.out["merge_requests"]) == 1
    assert [pipeline["kind"] for pipeline in demo.out["pipelines"]] == ["parent", "child"]
    assert demo.out["books_equal"] is True
