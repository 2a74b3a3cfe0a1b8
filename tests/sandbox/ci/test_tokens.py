"""What a job can prove and reach: job tokens and ID tokens, seen from outside and from inside of a job."""

from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import pytest

pytestmark = pytest.mark.integration

HELD = "a: {id_tokens: {TOKEN: {aud: 'http://receiver.example:8080'}}, timeout: 20m, script: [sleep 300]}"


@pytest.fixture
def held(start: Callable[..., Any]) -> tuple[Any, Any]:
    """Start a job that runs until the test ends."""
    running = start(HELD)
    running.project().pipelines.create({"ref": "main"})
    engine = running.ci.engine
    running.until(lambda: any(job.token for job in engine.jobs.values()))
    return running, next(iter(engine.jobs.values()))


def test_a_job_token_says_which_job_it_belongs_to_while_the_job_runs(held: tuple[Any, Any]) -> None:
    running, job = held
    token = job.token
    subject = running.ci.subject(token)
    assert (subject.job_id, running.state.users[subject.user_id].username) == (job.id, "bug-fix-starter")
    for wrong in ("", token[:-1], "glcbt-64_made-up"):
        assert running.ci.subject(wrong) is None
    running.project().jobs.get(job.id).cancel()
    running.settled()
    assert running.ci.subject(token) is None


def test_a_job_token_reaches_no_route_that_gitlab_keeps_from_it(held: tuple[Any, Any]) -> None:
    running, job = held
    for path in ("projects/1", f"projects/1/jobs/{job.id}", f"projects/1/jobs/{job.id}/trace", "user"):
        answer = httpx2.get(f"{running.url}/api/v4/{path}", headers={"JOB-TOKEN": job.token}, timeout=60)
        assert answer.status_code == 401, path
    answer = httpx2.post(
        f"{running.url}/api/v4/projects/1/jobs/{job.id}/cancel", headers={"JOB-TOKEN": job.token}, timeout=60
    )
    assert answer.status_code == 401


def test_the_id_token_verifies_against_the_served_keys_and_says_what_gitlab_says(held: tuple[Any, Any]) -> None:
    running, job = held
    token = running.ci.site.id_token(job, ("http://receiver.example:8080",))
    configuration = httpx2.get(f"{running.url}/.well-known/openid-configuration", timeout=60).json()
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key.key, algorithms=["RS256"], audience="http://receiver.example:8080", issuer=configuration["issuer"]
    )
    assert configuration["issuer"] == running.url
    pipeline = job.pipeline
    assert {
        name: claims[name]
        for name in (
            "project_id",
            "project_path",
            "pipeline_id",
            "pipeline_source",
            "job_id",
            "ref",
            "ref_type",
            "ref_path",
            "ref_protected",
            "sha",
            "user_login",
            "runner_environment",
            "sub",
        )
    } == {
        "project_id": str(pipeline.project_id),
        "project_path": "payk12/bug-fix",
        "pipeline_id": str(pipeline.id),
        "pipeline_source": "api",
        "job_id": str(job.id),
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "sha": pipeline.sha,
        "user_login": "bug-fix-starter",
        "runner_environment": "self-hosted",
        "sub": "project_path:payk12/bug-fix:ref_type:branch:ref:main",
    }
    assert claims["exp"] - claims["iat"] == 1200
    assert isinstance(claims["runner_id"], int)
    again = running.ci.site.id_token(job, ("http://receiver.example:8080",))
    assert jwt.decode(again, options={"verify_signature": False})["jti"] != claims["jti"]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token[:-6] + "AAAAAA", key.key, algorithms=["RS256"], audience=claims["aud"])


def test_a_job_clones_where_the_allowlist_lets_it_and_pushes_nowhere(start: Callable[..., Any]) -> None:
    running = start(
        """
a:
  script:
    - base="$CI_SERVER_PROTOCOL://gitlab-ci-token@$CI_SERVER_FQDN"
    - printf '#!/bin/sh\\necho "$CI_JOB_TOKEN"\\n' > ask && chmod +x ask  # everybody on the machine reads command lines
    - export GIT_ASKPASS="$PWD/ask"
    - git clone --quiet "$base/payk12/contacts.git" ok && test -f ok/app.py && echo "cloned"
    - if git clone --quiet "$base/payk12/closed.git" no; then exit 5; fi
    - cd ok && git -c user.name=x -c user.email=x@x commit --quiet --allow-empty --message=x
    - if git push --quiet origin HEAD:refs/heads/mine; then exit 6; fi
    - cd .. && if git push --quiet origin HEAD:refs/heads/mine; then exit 7; fi
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    (job,) = project.pipelines.get(created.id).jobs.list()
    log = project.jobs.get(job.id).trace().decode()
    assert job.status == "success", log
    assert "cloned" in log
    for path in ("payk12/contacts", "payk12/bug-fix"):
        assert [one.name for one in running.project("root", path).branches.list()] == ["main"]


def test_a_job_loads_artifacts_of_others_with_its_token(start: Callable[..., Any]) -> None:
    running = start(
        """
stages: [one, two]
make: {stage: one, script: [echo hello > x.txt], artifacts: {paths: [x.txt]}}
secret: {stage: one, script: [echo no > y.txt], artifacts: {paths: [y.txt], access: none}}
load:
  stage: two
  dependencies: []
  script:
    - test ! -e x.txt
    - |
      python3 - <<'EOF'
      import os, urllib.request, urllib.error
      def load(job, path):
          url = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}/jobs/{job}/artifacts/{path}"
          headers = {"JOB-TOKEN": os.environ["CI_JOB_TOKEN"]}
          return urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()
      assert load(1, "x.txt") == b"hello\\n"
      for job, path, code in [(1, "none.txt", 404), (2, "y.txt", 403)]:
          try:
              load(job, path)
          except urllib.error.HTTPError as error:
              assert error.code == code, error
          else:
              raise SystemExit(f"{path} was given")
      EOF
"""
    )
    project = running.project()
    created = project.pipelines.create({"ref": "main"})
    running.settled()
    assert project.pipelines.get(created.id).status == "success", [
        project.jobs.get(job.id).trace() for job in project.pipelines.get(created.id).jobs.list()
    ]
