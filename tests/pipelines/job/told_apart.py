"""Run the reproduction that tries to tell its runs apart on both sides of a change that does nothing.

Also a script, for a user who is not root: `python -m tests.pipelines.job.told_apart FOLDER MEANS`; prints what each run
found as a line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.catalogue.file import read
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.confinement import Means
from pipelines.job.isolation.environment import JobSettings, harden_process
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.run_request import Script
from pipelines.job.workspace.changes import collect_changes
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import CommitSha, Framework, IssueKey, Phase, RunId
from pipelines.language.wire import RunSpec, Session, Ticket
from pipelines.phases.reproduction_evidence import Stage, make_bench
from pipelines.proof.repeated_runs import Side
from tests.pipelines.job.wrong_fixes import CATALOGUE, FILES

TEST = Path(__file__).with_name("telling.py")
ORDER = (Side.AFTER, Side.BEFORE)


def told(folder: Path, *, means: Sequence[Means]) -> tuple[str, list[dict[str, Any]]]:
    """Return the isolation of this runner, and what each run found."""
    job = make_job(folder, means=means)
    try:
        work = job.check_out("work", Role.WORK)
        (work.folder / "shop" / "price.py").write_text(f"{FILES['shop/price.py']}\n\n# Nothing changes.\n")
        job.launcher.users.give(work.folder, Role.WORK)
        change = collect_changes(job.source, work.folder, launcher=job.launcher, role=Role.WORK)
        bench = make_bench(job, Framework.PYTEST)
        stages = {
            Side.BEFORE: Stage(job, bench, name=Side.BEFORE),
            Side.AFTER: Stage(job, bench, name=Side.AFTER, change=change),
        }
        script = Script(data=TEST.read_bytes(), framework=Framework.PYTEST, path="tests/test_it.py")
        found = []
        for side in ORDER:
            output = stages[side].run(script).completed.output
            line = next((one for one in output.splitlines() if one.startswith("TOLD ")), None)
            if line is None:
                raise AssertionError(output)
            found.append(json.loads(line.removeprefix("TOLD ")))
        return job.launcher.isolation, found
    finally:
        job.launcher.end_all()
        file_trees.remove(job.root)


def make_job(folder: Path, *, means: Sequence[Means], files: Mapping[str, str] = FILES) -> Job:
    """Return a job of the shop, or of a repository with these files."""
    origin, project = folder / "origin", folder / "builds"
    project.mkdir()
    for name, text in files.items():
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_text(text)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Base"]):
        subprocess.run(["git", *who, *command], cwd=origin, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=origin, check=True, capture_output=True, text=True)
    catalogue = read(CATALOGUE, source="bug-fix.yml")
    (repository,) = catalogue.repositories.values()
    spec = RunSpec(
        run=RunId("0123456789abcdef"),
        iteration=1,
        phase=Phase.TESTING,
        repository=repository.project,
        ticket=Ticket(key=IssueKey("PL-1"), summary="s", description="d"),
        branch="bug-fix/PL-1",
        catalogue=catalogue,
        base_shas={repository.project: CommitSha(head.stdout.strip())},
        clone_urls={repository.project: f"file://{origin}"},
        agent=None,
        plan=None,
    )
    job = Job(
        settings=JobSettings(
            phase=spec.phase, run=spec.run, iteration=1, receiver="http://127.0.0.1:9", project_dir=str(project)
        ),
        spec=spec,
        session=Session(token="t", expires_at="2030-01-01T00:00:00Z", gateway_url="http://127.0.0.1:9"),
        launcher=Launcher(
            root=make_root(),
            job_id=1000 + os.getpid() * 17 % 1900,
            environ=dict(os.environ) | {"CI_PROJECT_DIR": str(project)},
            means=means,
        ),
        artifacts=Artifacts(project, spec.phase),
        log=JobLog(),
        keep_context=lambda _: None,
    )
    job.fetch(token="")
    return job


if __name__ == "__main__":
    harden_process()  # as a job's supervisor is, so that nothing which leaves its session escapes it
    isolation, runs = told(Path(sys.argv[1]), means=[Means(sys.argv[2])])
    sys.stdout.write("\n".join([f"ISOLATION {isolation}", *(f"FOUND {json.dumps(one)}" for one in runs), ""]))
