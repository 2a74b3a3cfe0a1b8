"""Becomes `conftest.py` beside a reproduction: starts the browser as told and notes how the test ended.

Runs in the test's own process, under the test's own user, so its notes are only as honest as the test. Imports nothing
of ours: it is copied.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_PAGES = {"navigations": 0}


def _note(kind: str, **facts: object) -> None:
    with (Path(os.environ["BUG_FIX_NOTES"])).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps({"kind": kind, **facts}) + "\n")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the browser that the job found."""
    told = json.loads(os.environ["BUG_FIX_BROWSER"])
    executable = {"executable_path": told["executable"]} if told["executable"] else {}
    return {**browser_type_launch_args, **executable, "args": told["arguments"]}


@pytest.fixture
def context(context: Any) -> Any:  # noqa: ANN401 - Playwright is not imported here
    """Note what the browser says while the test runs."""
    context.on("console", lambda message: _note("console", type=message.type, text=message.text[:1000]))
    context.on("weberror", lambda error: _note("page_error", text=str(error.error)[:1000]))
    context.on("requestfailed", _request_failed)
    context.on("response", _response)
    return context


def _request_failed(request: Any) -> None:  # noqa: ANN401 - Playwright is not imported here
    _note("request_failed", url=request.url[:500], error=str(request.failure)[:200])


def _response(response: Any) -> None:  # noqa: ANN401 - Playwright is not imported here
    _PAGES["navigations"] += response.request.is_navigation_request()
    if response.status >= 400:
        _note("response", url=response.url[:500], status=response.status)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Note each step of each test with the kind of its failure."""
    outcome = yield
    report = outcome.get_result()
    raised = call.excinfo
    _note(
        "step",
        test=item.name,
        when=report.when,
        outcome=report.outcome,
        error=None if raised is None else [kind.__name__ for kind in raised.type.__mro__],
        message="" if raised is None else str(raised.value)[:2000],
        in_test=raised is not None and any(Path(str(entry.path)).parent == _HERE for entry in raised.traceback),
        navigations=_PAGES["navigations"],
    )
