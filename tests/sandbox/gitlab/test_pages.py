"""Pages for people, from a real merge request and a real pipeline with a child, a failure and artifacts."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import pytest

from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.instance import Ci
from sandbox.emulators import gitlab_application
from sandbox.gitlab.model import Access
from sandbox.gitlab.seed import Person, seed
from sandbox.gitlab.state import State
from sandbox.http.asgi_server import bind, in_thread

pytestmark = pytest.mark.integration

CONFIG = """
workflow: {name: "PL-479 <b>· iteration 1"}
stages: [analysis, fix]
analysis:
  stage: analysis
  script:
    - printf '\\033[31mred\\033[0m <script>alert(1)</script>\\n'
    - printf '%s\\n' 'testing:' '  script' | sed 's/script$/script:\\ exit 3/' > child.yml
    - mkdir shots && printf 'PNG' > shots/before.png && printf '<html>' > page.html && printf '\\0' > trace.zip
    - >-
      printf '<testsuite><testcase name="saves" classname="contacts" time="0.1"><failure>O&apos;Brien gave 500 %0300d
      </failure></testcase></testsuite>' 0 > junit.xml
    - printf '<coverage/>' > coverage.xml && echo 'total coverage 91.50 %'
  coverage: '/total coverage \\d+\\.\\d+/'
  artifacts:
    paths: [child.yml, shots, page.html, trace.zip]
    reports: {junit: junit.xml, coverage_report: {coverage_format: cobertura, path: cov*.xml}}
bug-fix:
  stage: fix
  trigger: {include: [{artifact: child.yml, job: analysis}], strategy: mirror}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, dict[str, gitlab.Gitlab]]]:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / ".gitlab-ci.yml").write_text(CONFIG)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "README.md").write_text("# Contacts\n<script>alert(1)</script>\n")
    listener, url = bind()
    state = State(url=url, root=tmp_path / "gitlab")
    secrets = asyncio.run(
        seed(
            state,
            people={"mara": Person(name="Mara <i>", access=Access.MAINTAINER)},
            repositories={"payk12/contacts": tmp_path / "sources"},
            catalogue="version: 1\n",
            automation=tmp_path / "checkout",
            receiver="http://127.0.0.1:9",
        )
    )
    ci = Ci(state, RunnerSettings(root=tmp_path / "ci"))
    tokens = {"bot": secrets.token, "starter": secrets.starter_token, "mara": secrets.user_tokens["mara"]}
    with in_thread(gitlab_application.create(state, ci=ci), listener):
        yield url, {who: gitlab.Gitlab(url, private_token=token) for who, token in tokens.items()}


def finished(client: gitlab.Gitlab) -> Any:
    project = client.projects.get("payk12/bug-fix")
    pipeline = project.pipelines.create({"ref": "main"})
    deadline = time.monotonic() + 60
    while pipeline.status not in {"success", "failed"}:
        assert time.monotonic() < deadline, pipeline.status
        time.sleep(0.05)
        pipeline = project.pipelines.get(pipeline.id)
    return pipeline


def page(url: str) -> str:
    answer = httpx2.get(url, timeout=60)
    assert answer.status_code == 200, (url, answer.text)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    return answer.text


def test_a_pipeline_shows_its_child_its_failure_and_its_jobs_artifacts(site: Any) -> None:
    url, clients = site
    pipeline = finished(clients["starter"])
    base = f"{url}/payk12/bug-fix/-"
    text = page(f"{base}/pipelines/{pipeline.id}")
    assert "PL-479 &lt;b&gt;· iteration 1" in text
    assert text.count('class="graph"') == 2
    assert f"Child pipeline #{pipeline.id + 1}" in text
    assert "downstream pipeline failed" in text
    assert 'http-equiv="refresh"' not in text
    assert f'href="/payk12/bug-fix/-/pipelines/{pipeline.id}"' in page(f"{base}/pipelines")
    jobs = {job.name: job for job in pipeline.jobs.list(get_all=True)}
    job = page(f"{base}/jobs/{jobs['analysis'].id}")
    assert '<span class="red">red</span> &lt;script&gt;' in job
    assert "91.50 %" in text
    assert "91.50 %" in job
    files = f"{base}/jobs/{jobs['analysis'].id}/artifacts/file"
    assert f'src="/payk12/bug-fix/-/jobs/{jobs["analysis"].id}/artifacts/file/shots/before.png"' in job
    picture, html, trace = (
        httpx2.get(f"{files}/{name}", timeout=60) for name in ("shots/before.png", "page.html", "trace.zip")
    )
    assert (picture.content, picture.headers["content-type"]) == (b"PNG", "image/png")
    assert html.headers["content-type"].startswith("text/plain")
    assert trace.headers["content-disposition"].startswith("attachment")
    assert httpx2.get(f"{files}/..%2F..%2Fetc%2Fpasswd", timeout=60).status_code == 404
    assert "alert(1)" in httpx2.get(f"{base}/jobs/{jobs['analysis'].id}/raw", timeout=60).text


def test_tests_are_shown_by_the_pipeline_whose_own_jobs_reported_them(site: Any) -> None:
    url, clients = site
    pipeline = finished(clients["starter"])
    base = f"{url}/payk12/bug-fix/-/pipelines"
    assert 'Tests <span class="count">1</span>' in page(f"{base}/{pipeline.id}")
    tests = page(f"{base}/{pipeline.id}/test_report")
    assert "O&#39;Brien gave 500" in tests
    assert "1 test · 1 failed · 0 skipped" in tests
    assert "Those of a child pipeline stand in its page" in page(f"{base}/{pipeline.id + 1}/test_report")
    assert pipeline.coverage == "91.50", "of the pipeline's own jobs"


def test_a_coverage_report_is_an_artifact_of_its_job_and_shown_nowhere_else(site: Any) -> None:
    _, clients = site
    (job,) = [one for one in finished(clients["starter"]).jobs.list(get_all=True) if one.coverage]
    assert "cobertura" in [artifact["file_type"] for artifact in job.asdict()["artifacts"]]


def test_a_merge_request_shows_what_was_said_and_what_changed(site: Any) -> None:
    url, clients = site
    project = clients["bot"].projects.get("payk12/contacts")
    project.commits.create(
        {
            "branch": "topic",
            "start_branch": "main",
            "commit_message": "PL-479: <b>Fix",
            "actions": [{"action": "update", "file_path": "README.md", "content": "<script>\n"}],
        }
    )
    mr = project.mergerequests.create(
        {
            "source_branch": "topic",
            "target_branch": "main",
            "title": "PL-479: <b>Fix",
            "description": "**Wrong** <script>alert(1)</script>",
            "labels": "<i>",
        }
    )
    mr.notes.create({"body": "<!-- marker -->\n| a |\n|---|\n| `b` |"})
    mine = clients["mara"].projects.get("payk12/contacts").mergerequests.get(1)
    mine.notes.create({"body": "/bug-fix retry"})
    base = f"{url}/payk12/contacts/-/merge_requests"
    text = page(f"{base}/1")
    assert "PL-479: &lt;b&gt;Fix" in text
    assert "<strong>Wrong</strong>" in text
    assert "marker" not in text
    assert "<code>b</code>" in text
    assert "Mara &lt;i&gt;" in text
    assert "/bug-fix retry" in text
    changed = page(f"{base}/1/diffs")
    assert "+&lt;script&gt;" in changed
    assert 'class="del"' in changed
    assert "&lt;b&gt;Fix" in page(f"{base}/1/commits")
    assert "!1" in page(base)
    mine.merge()
    assert "Merged by Mara" in page(f"{base}/1")


def test_a_merge_request_shows_its_threads_suggestions_and_emoji(site: Any) -> None:
    url, clients = site
    project = clients["bot"].projects.get("payk12/contacts")
    new = {"action": "create", "file_path": "a.txt", "content": "<one>\ntwo\n"}
    project.commits.create({"branch": "topic", "start_branch": "main", "commit_message": "Add", "actions": [new]})
    made = project.mergerequests.create({"source_branch": "topic", "target_branch": "main", "title": "Add"})
    mr = project.mergerequests.get(made.iid)
    place = {**mr.diff_refs, "position_type": "text", "new_path": "a.txt", "new_line": 1}
    body = "So?\n\n```suggestion\n<ONE>\n```\n"
    thread = mr.discussions.create({"body": body, "position": place})
    thread.notes.create({"body": "Better."})
    mr.awardemojis.create({"name": "eyes"})
    text = page(f"{url}/payk12/contacts/-/merge_requests/1")
    for expected in ("Thread on a.txt, line 1", "Suggested change", "-&lt;one&gt;", "+&lt;ONE&gt;", ":eyes: 1"):
        assert expected in text
    assert "suggestion\n" not in text
    suggestion = thread.attributes["notes"][0]["suggestions"][0]["id"]
    clients["mara"].http_put(f"/suggestions/{suggestion}/apply")
    thread.resolved = True
    thread.save()
    text = page(f"{url}/payk12/contacts/-/merge_requests/1")
    for expected in ("Applied", "Resolved by Bug-Fix"):
        assert expected in text


def crawled(url: str) -> dict[str, str]:
    """Return every page that the start page leads to, by its path."""
    found: dict[str, str] = {}
    paths = ["/"]
    while paths:
        path = paths.pop()
        if path in found:
            continue
        answer = httpx2.get(url + path, timeout=60)
        if answer.headers["content-type"].startswith("text/html"):
            found[path] = answer.text
            paths += re.findall(r'href="(/[^"#?]*)"', answer.text)
    return found


def test_no_page_scrolls_sideways_on_a_phone(site: Any, sideways: Any) -> None:
    url, clients = site
    long = "x" * 200
    finished(clients["starter"])
    project = clients["bot"].projects.get("payk12/contacts")
    change = {"action": "create", "file_path": f"src/{long}.py", "content": f"{long}\n"}
    project.commits.create(
        {"branch": long, "start_branch": "main", "commit_message": f"PL-479: {long}", "actions": [change]}
    )
    told = f"**Wrong** {long} `{long}`\n\n| a | b |\n|---|---|\n| {long} | `{long}` |\n\n```\n{long}\n```\n"
    mr = project.mergerequests.create(
        {
            "source_branch": long,
            "target_branch": "main",
            "title": f"PL-479: {long}",
            "description": told,
            "labels": long,
        }
    )
    mr.notes.create({"body": told})
    pages = crawled(url)
    assert len(pages) > 15
    assert sideways(pages) == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "payk12/contacts"),
        ("/payk12/contacts", "Contacts</h1>"),
        ("/payk12/contacts/-/tree/main", "README.md"),
        ("/payk12/contacts/-/blob/main/README.md", "&lt;script&gt;"),
        ("/payk12/contacts/-/pipelines", "No pipeline has run yet"),
        ("/payk12/contacts/-/merge_requests", "no merge request yet"),
        ("/payk12/contacts/-/commit/main", "First commit"),
    ],
)
def test_every_page_of_a_new_project_can_be_looked_at(site: Any, path: str, expected: str) -> None:
    assert expected in page(f"{site[0]}{path}")


@pytest.mark.parametrize(
    "path",
    [
        "/no/such",
        "/payk12/contacts/-/merge_requests/9",
        "/payk12/contacts/-/merge_requests/x",
        "/payk12/contacts/-/pipelines/9",
        "/payk12/contacts/-/jobs/9",
        "/payk12/contacts/-/blob/main/nope",
        "/payk12/contacts/-/tree/nope",
    ],
)
def test_what_is_not_there_is_not_found(site: Any, path: str) -> None:
    assert httpx2.get(f"{site[0]}{path}", timeout=60).status_code == 404
