"""`bug-fix-sandbox serve` as a process: it tells where everything is, all of it answers, and it ends when told."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import pytest

pytestmark = pytest.mark.acceptance
RECEIVER = "http://127.0.0.1:9"


def start(state: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["serve", "--state", str(state), "--receiver", RECEIVER, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    process = start(tmp_path / "state")
    told = tmp_path / "state" / "sandbox.json"
    deadline = time.monotonic() + 60
    while not told.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "sandbox.json did not come"
        time.sleep(0.02)
    yield json.loads(told.read_text()), process
    process.kill()
    process.communicate()


def test_all_three_answer_once_the_facts_are_written(served: tuple[dict[str, Any], Any], tmp_path: Path) -> None:
    facts, process = served
    assert (facts["scenario"], facts["issue_key"]) == ("pl-479", "PL-479")
    assert (tmp_path / "state" / "sandbox.json").stat().st_mode & 0o077 == 0
    bot = gitlab.Gitlab(facts["gitlab"]["url"], private_token=facts["gitlab"]["token"])
    for path, level in (("payk12/bug-fix", 40), ("payk12/contacts", 30)):
        assert bot.projects.get(path).permissions["project_access"]["access_level"] == level
    assert bot.projects.get("payk12/bug-fix").files.raw("bug-fix.yml", ref="main")
    (hook,) = gitlab.Gitlab(facts["gitlab"]["url"], private_token=facts["gitlab"]["person_token"]).http_get(
        "/projects/payk12%2Fcontacts/hooks"
    )
    assert hook["url"] == f"{RECEIVER}/hooks/gitlab"
    for who in (("user", "token"), ("person", "person_token")):
        issue = httpx2.get(
            f"{facts['jira']['url']}/rest/api/2/issue/PL-479",
            auth=(facts["jira"][who[0]], facts["jira"][who[1]]),
            timeout=60,
        )
        assert issue.json()["key"] == "PL-479"
    counted = httpx2.post(
        f"{facts['anthropic']['url']}/v1/messages/count_tokens",
        headers={"x-api-key": facts["anthropic"]["api_key"], "anthropic-version": "2023-06-01"},
        json={"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "Hello"}]},
        timeout=60,
    )
    assert counted.json()["input_tokens"] > 0
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, ""), output


def test_an_unknown_scenario_is_said_in_a_sentence(tmp_path: Path) -> None:
    process = start(tmp_path / "state", "--scenario", "no-such")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no-such" in errors
    assert "Traceback" not in errors


def test_a_checkout_without_a_pipeline_is_said_in_a_sentence(tmp_path: Path) -> None:
    process = start(tmp_path / "state", "--automation", str(tmp_path))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert ".gitlab-ci.yml" in errors
    assert "Traceback" not in errors
