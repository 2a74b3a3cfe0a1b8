"""Pages of pipelines: the list, and one pipeline's graph with its child pipelines."""

from collections.abc import Sequence
from typing import Any

from sandbox.ci.instance import appearance
from sandbox.ci.instance.instance import Ci
from sandbox.ci.records import COMPLETED, Job, Pipeline, Status, TestCase
from sandbox.gitlab.model import Project
from sandbox.gitlab_pages import graph
from sandbox.gitlab_pages.frame import Pages, took
from sandbox.http import HttpError, Request, Response, Route

_WORST = (
    Status.FAILED,
    Status.CANCELED,
    Status.RUNNING,
    Status.PENDING,
    Status.WAITING_FOR_RESOURCE,
    Status.MANUAL,
    Status.CREATED,
    Status.SUCCESS,
)
"""A stage shows the first of these that one of its jobs has."""


def engine_of(pages: Pages) -> Ci:
    """Give the CI engine; without one there are no pipelines."""
    if pages.ci is None:
        raise HttpError(404, {"message": "404 Not found"})
    return pages.ci


def status_of(one: Pipeline | Job) -> dict[str, str]:
    """Show a status: `warning` for success with warnings, and for a failure that is allowed."""
    look = appearance.of_pipeline(one) if isinstance(one, Pipeline) else appearance.of_job(one)
    warned = look.group.endswith("-with-warnings")
    return {"status": "warning" if warned else one.status.value, "label": look.label}


def project_href(pages: Pages, project_id: int) -> str:
    """Give the address of a project."""
    return f"/{pages.state.projects[project_id].path_with_namespace}"


def pipeline_shown(pages: Pages, one: Pipeline) -> dict[str, Any]:
    """Show a pipeline's facts."""
    href = f"{project_href(pages, one.project_id)}/-/pipelines"
    elapsed = one.duration()
    if elapsed is None and one.started_at:
        elapsed = round(((one.finished_at or pages.state.now()) - one.started_at).total_seconds())
    commit = engine_of(pages).site.commit(one)
    return {
        **status_of(one),
        "id": one.id,
        "name": one.name,
        "commit": commit.title,
        "href": f"{href}/{one.id}",
        "ref": one.ref,
        "sha": one.sha,
        "source": one.source,
        "user": pages.person(one.user_id),
        "created": pages.moment(one.created_at),
        "took": took(elapsed),
        "parent": {"id": one.parent.pipeline_id, "href": f"{href}/{one.parent.pipeline_id}"} if one.parent else None,
    }


def job_shown(pages: Pages, job: Job) -> dict[str, Any]:
    """Show a job's facts; a trigger job leads to its child."""
    base = project_href(pages, job.pipeline.project_id)
    child = job.downstream
    return {
        **status_of(job),
        "id": job.id,
        "name": job.name,
        "stage": job.definition.stage,
        "image": job.definition.image,
        "bridge": job.is_bridge,
        "retried": job.retried,
        "href": f"{base}/-/pipelines/{child.id}" if child else f"{base}/-/jobs/{job.id}",
        "took": took(job.duration(pages.state.now())),
        "started": pages.moment(job.started_at),
        "reason": (job.problem or job.failure_reason or "").replace("_", " "),
        "coverage": f"{job.coverage:.2f} %" if job.coverage is not None else "",
    }


def _graph(pages: Pages, one: Pipeline) -> dict[str, Any]:
    jobs = one.latest()
    nodes = [
        graph.Node(
            name=job.name,
            stage=job.definition.stage,
            needs=None if job.definition.needs is None else _need_names(job, jobs),
            done=job.status is Status.SUCCESS,
        )
        for job in jobs
    ]
    layout = graph.lay_out(nodes, stages=one.definition.stages)
    shown = {job.name: job_shown(pages, job) for job in jobs}
    return {
        "width": layout.width,
        "height": layout.height,
        "lines": layout.lines,
        "stages": [{"name": column.name, "x": column.x, "width": layout.job_width} for column in layout.columns],
        "jobs": [{**shown[at.name], "x": at.x, "y": at.y, "width": layout.job_width} for at in layout.places],
    }


def _need_names(job: Job, jobs: Sequence[Job]) -> tuple[str, ...]:
    """Give the jobs that are needed: a name without its matrix means all of them."""
    names = [one.name for one in jobs]
    return tuple(
        name
        for need in job.definition.needs or ()
        for name in names
        if name == need.job or name.startswith(f"{need.job}: [")
    )


def _tree(pages: Pages, one: Pipeline) -> dict[str, Any]:
    children = [(job, job.downstream) for job in one.latest() if job.downstream]
    return {
        **pipeline_shown(pages, one),
        "graph": _graph(pages, one),
        "children": [{**_tree(pages, child), "bridge": job.name} for job, child in children],
    }


def _family(one: Pipeline) -> list[Pipeline]:
    found = [one]
    for job in one.latest():
        found += _family(job.downstream) if job.downstream else []
    return found


def _stages(one: Pipeline) -> list[dict[str, str]]:
    found = []
    for stage in one.definition.stages:
        statuses = {job.status for job in one.latest() if job.definition.stage == stage}
        if statuses:
            worst = next((status for status in _WORST if status in statuses), Status.SKIPPED)
            found.append({"name": stage, "status": worst.value})
    return found


def listed(pages: Pages, request: Request) -> Response:
    """List a project's pipelines, newest first; children are shown with their parents."""
    project = pages.project(request)
    every = engine_of(pages).engine.pipelines.values() if pages.ci else []
    found = [one for one in reversed(list(every)) if one.project_id == project.id and one.parent is None]
    context = {
        "found": [{**pipeline_shown(pages, one), "stages": _stages(one)} for one in found],
        "live": any(one.status not in COMPLETED for one in found),
    }
    return pages.render("pipelines.html", context, title="Pipelines", project=project, section="pipelines")


def page(pages: Pages, request: Request) -> Response:
    """Show one pipeline with its children, live while it runs."""
    project = pages.project(request)
    one = pipeline_of(pages, project, request.params["pipeline_id"])
    family = _family(one)
    problems = [{"name": job.name, "text": job.problem} for each in family for job in each.latest() if job.problem]
    context = {
        "pipeline": {**_tree(pages, one), "problems": problems},
        "tests": sum(len(job.tests) for job in one.latest()),
        "jobs": [job_shown(pages, job) for each in family for job in each.jobs],
        "live": one.status not in COMPLETED | {Status.MANUAL},
    }
    title = f"{one.name or 'Pipeline'} (#{one.id})"
    return pages.render("pipeline.html", context, title=title, project=project, section="pipelines")


def tests(pages: Pages, request: Request) -> Response:
    """Show the tests that the pipeline's own jobs reported, by job; those of a child stand in the child's page."""
    project = pages.project(request)
    one = pipeline_of(pages, project, request.params["pipeline_id"])
    found = [(job, job.tests) for job in one.latest() if job.tests or job.suite_error]
    context = {
        "pipeline": pipeline_shown(pages, one),
        "tests": sum(len(cases) for _, cases in found),
        "suites": [
            {**job_shown(pages, job), "error": job.suite_error, **_counts(cases), "cases": _worst_first(cases)}
            for job, cases in found
        ],
        "live": one.status not in COMPLETED | {Status.MANUAL},
    }
    title = f"Tests of {one.name or 'pipeline'} (#{one.id})"
    return pages.render("tests.html", context, title=title, project=project, section="pipelines")


def _counts(cases: Sequence[TestCase]) -> dict[str, str]:
    statuses = [case.status for case in cases]
    return {
        "total": str(len(cases)),
        "failed": str(statuses.count("failed") + statuses.count("error")),
        "skipped": str(statuses.count("skipped")),
        "seconds": f"{sum(case.execution_time for case in cases):.2f} s",
    }


def _worst_first(cases: Sequence[TestCase]) -> list[dict[str, str]]:
    """Show failures first, as GitLab does; the others in their order."""
    return [_case(case) for case in sorted(cases, key=lambda case: case.status not in {"failed", "error"})]


def _case(case: TestCase) -> dict[str, str]:
    return {
        "name": case.name,
        "classname": case.classname,
        "status": "failed" if case.status == "error" else case.status,
        "output": case.system_output or case.stack_trace or "",
        "seconds": f"{case.execution_time:.2f} s",
    }


def pipeline_of(pages: Pages, project: Project, text: str) -> Pipeline:
    """Find a project's pipeline, or raise 404."""
    found = engine_of(pages).engine.pipelines.get(int(text)) if text.isdecimal() else None
    if found is None or found.project_id != project.id:
        raise HttpError(404, {"message": "404 Not found"})
    return found


ROUTES = (
    Route("GET", "/*project/-/pipelines", listed),
    Route("GET", "/*project/-/pipelines/:pipeline_id", page),
    Route("GET", "/*project/-/pipelines/:pipeline_id/test_report", tests),
)
