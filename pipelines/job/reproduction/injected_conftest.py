"""Becomes `conftest.py` beside a reproduction: starts the browser as told and notes how the test ended.

Runs in the test's own process, under the test's own user, so its notes are only as honest as the test. Imports nothing
of ours: it is copied.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

_FILES = ("screenshot", "trace", "video")
_METHODS = ("fetch", "get", "post", "put", "patch", "delete", "head")


def _note(kind: str, **facts: object) -> None:
    with (Path(os.environ["BUG_FIX_NOTES"])).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps({"kind": kind, **facts}) + "\n")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the browser that the job found."""
    told = json.loads(os.environ["BUG_FIX_BROWSER"])
    executable = {"executable_path": told["executable"]} if told["executable"] else {}
    return {
        **browser_type_launch_args,
        **executable,
        "args": told["arguments"],
        "chromium_sandbox": told["sandbox"],
    }


@pytest.fixture(scope="session")
def playwright(playwright: Any) -> Any:  # noqa: ANN401 - Playwright is not imported here
    """Note what the application answers to Playwright's API client."""
    make = playwright.request.new_context
    playwright.request.new_context = lambda *given, **named: _observed_client(make(*given, **named))
    return playwright


@pytest.fixture
def new_context(new_context: Any, browser_context_args: dict[str, Any]) -> Any:  # noqa: ANN401 - ditto
    """Note what the browser says while the test runs."""

    def make(**given: Any) -> Any:  # noqa: ANN401 - ditto
        context = new_context(**given)
        _observed_client(context.request)
        context.on("console", lambda message: _note("console", type=message.type, text=message.text[:1000]))
        context.on("weberror", lambda error: _note("page_error", text=str(error.error)[:1000]))
        context.on("requestfailed", _request_failed)
        context.on("response", _response)
        context.on("page", lambda page: page.on("crash", lambda page: _note("crash", url=page.url[:500])))
        close, scale = context.close, (browser_context_args | given).get("device_scale_factor")

        def close_noting(*arguments: Any, **named: Any) -> None:  # noqa: ANN401 - ditto
            for page in context.pages:
                if page.viewport_size:
                    _note("viewport", **page.viewport_size, scale=scale or 1)
            close(*arguments, **named)

        context.close = close_noting
        return context

    return make


def _request_failed(request: Any) -> None:  # noqa: ANN401 - ditto
    _note("request_failed", url=request.url[:500], error=str(request.failure)[:200])


def _response(response: Any) -> None:  # noqa: ANN401 - ditto
    facts = {"url": response.url[:500], "status": response.status}
    if response.request.is_navigation_request():
        _note("navigation", **facts)
    if response.status >= 400:
        _note("response", **facts)


def _observed_client(client: Any) -> Any:  # noqa: ANN401 - ditto
    for method in _METHODS:
        setattr(client, method, _noting(method, getattr(client, method)))
    return client


def _noting(name: str, send: Callable[..., Any]) -> Callable[..., Any]:
    def sent(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - ditto
        response = send(*given, **named)
        method = str(named.get("method", "GET")) if name == "fetch" else name.upper()
        _note(
            "exchange",
            method=method,
            url=response.url[:500],
            status=response.status,
            sent=_text(named.get("data", named.get("form")))[:2000],
            received=response.body()[:4000].decode(errors="replace"),
        )
        return response

    return sent


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return value.decode(errors="replace") if isinstance(value, bytes) else json.dumps(value, default=str)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Note each step of each test with the kind of its failure, and at its end the files that Playwright made of it."""
    outcome = yield
    report = outcome.get_result()
    results = Path(os.environ["BUG_FIX_NOTES"]).parent
    for name, path in report.user_properties if report.when == "teardown" else ():
        what = name.removeprefix("playwright_")
        place = item.config.invocation_params.dir / path
        if what in _FILES and place.is_relative_to(results):
            _note("file", what=what, path=str(place.relative_to(results)))
    raised = call.excinfo
    own = [] if raised is None else [entry for entry in raised.traceback if Path(str(entry.path)) == item.path]
    _note(
        "step",
        test=item.name,
        when=report.when,
        outcome=report.outcome,
        error=None if raised is None else [kind.__name__ for kind in raised.type.__mro__],
        message="" if raised is None else str(raised.value)[:2000],
        in_test=bool(own),
        line=own[-1].lineno + 1 if own else 0,
    )
