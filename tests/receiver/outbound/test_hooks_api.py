"""What is wrong with a project's hook, in a sentence."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.language import ProjectPath
from receiver.outbound.gitlab.hooks_api import WANTED, Hooks

ALL = dict.fromkeys(WANTED, True)
OURS: dict[str, Any] = {"id": 1, "url": "https://bug-fix.example.com/hooks/gitlab", "alert_status": "executable", **ALL}


@pytest.mark.parametrize(
    ("hooks", "fault"),
    [
        ([OURS], ""),
        ([{key: value for key, value in OURS.items() if key != "alert_status"}], ""),
        ([OURS | {"url": "https://bug-fix.example.com.evil.example/hooks/gitlab"}], None),
        ([], None),
        ([OURS | {"alert_status": "disabled"}], "sends its hook no more (disabled)"),
        (
            [OURS | {"alert_status": "temporarily_disabled", "disabled_until": "2026-11-23T09:02:00Z"}],
            "(temporarily_disabled, until 2026-11-23T09:02:00Z)",
        ),
        ([OURS | {"note_events": False}], "does not tell of comments"),
        ([OURS | {"note_events": False}, OURS | {"job_events": False}], ""),
    ],
)
def test_a_hook_that_gitlab_does_not_send_is_named(hooks: list[dict[str, Any]], fault: str | None) -> None:
    listed = [SimpleNamespace(**one) for one in hooks]
    project = SimpleNamespace(hooks=SimpleNamespace(list=lambda **_: listed))
    api = SimpleNamespace(projects=SimpleNamespace(get=lambda *_, **__: project))
    told = Hooks(SimpleNamespace(api=api)).fault(ProjectPath("a/b"), public_url="https://bug-fix.example.com")  # type: ignore[arg-type]  # a connection without GitLab
    if told is None or fault is None:
        assert told is fault
    else:
        assert fault in told
        assert bool(told) == bool(fault)
