"""Pages of jobs: the log, artifacts and the pictures among them."""

import mimetypes
import zipfile
from typing import Final
from urllib.parse import quote

from sandbox.ci.records import COMPLETED, Job
from sandbox.gitlab.api.uploads import SHOWN
from sandbox.gitlab_pages import ansi
from sandbox.gitlab_pages.frame import Pages, size
from sandbox.gitlab_pages.pipelines import engine_of, job_shown, pipeline_shown
from sandbox.http import HttpError, Request, Response, Route

LOG_BYTES: Final = 2_000_000
FILES: Final = 200
TEXT: Final = frozenset(
    {".json", ".log", ".patch", ".diff", ".txt", ".xml", ".yml", ".yaml", ".md", ".py", ".html", ".css"}
)
"""Shown as plain text, whatever they are: pages of strangers are never run."""


def _job(pages: Pages, request: Request) -> Job:
    project = pages.project(request)
    text = request.params["job_id"]
    found = engine_of(pages).engine.jobs.get(int(text)) if text.isdecimal() else None
    if found is None or found.pipeline.project_id != project.id:
        raise HttpError(404, {"message": "404 Not found"})
    return found


def page(pages: Pages, request: Request) -> Response:
    """Show a job, live while it runs."""
    job = _job(pages, request)
    log = _log(job)
    href = request.path
    files = _files(job)
    context = {
        "job": job_shown(pages, job),
        "pipeline": pipeline_shown(pages, job.pipeline),
        "downstream": pipeline_shown(pages, job.downstream) if job.downstream else None,
        "lines": ansi.lines(log.removesuffix("\n")) if log else [],
        "raw": f"{href}/raw" if log else None,
        "files": [
            {
                "folder": name.rpartition("/")[0],
                "name": name.rpartition("/")[2],
                "href": f"{href}/artifacts/file/{quote(name)}",
                "size": size(count),
            }
            for name, count in files[:FILES]
        ],
        "gone": "Expired" if job.archive and not files else None,
        "pictures": [
            {"name": name, "href": f"{href}/artifacts/file/{quote(name)}"}
            for name, _ in files[:FILES]
            if name.endswith((".png", ".jpg", ".webp"))
        ],
        "live": job.status not in COMPLETED,
    }
    project = pages.project(request)
    return pages.render("job.html", context, title=f"{job.name} (#{job.id})", project=project, section="pipelines")


def _log(job: Job) -> str:
    if job.log is None or not job.log.exists():
        return ""
    with job.log.open("rb") as file:
        return file.read(LOG_BYTES).decode("utf-8", "replace")


def raw(pages: Pages, request: Request) -> Response:
    """Give the log as text."""
    return Response.text(_log(_job(pages, request)))


def _files(job: Job) -> list[tuple[str, int]]:
    if job.archive is None or not job.archive.path.exists():
        return []
    with zipfile.ZipFile(job.archive.path) as archive:
        return sorted((one.filename, one.file_size) for one in archive.infolist() if not one.is_dir())


def artifact(pages: Pages, request: Request) -> Response:
    """Give one file of a job's artifacts: pictures and text to look at, everything else to download."""
    job, name = _job(pages, request), request.params["path"]
    if name not in {known for known, _ in _files(job)} or job.archive is None:
        raise HttpError(404, {"message": "404 Not found"})
    with zipfile.ZipFile(job.archive.path) as archive:
        content = archive.read(name)
    suffix = f".{name.rpartition('.')[2].lower()}"
    guessed = mimetypes.guess_type(name)[0] or ""
    kind = (
        guessed if guessed in SHOWN else "text/plain; charset=utf-8" if suffix in TEXT else "application/octet-stream"
    )
    headers = {"content-type": kind, "x-content-type-options": "nosniff", "content-security-policy": "sandbox"}
    if kind == "application/octet-stream":
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(name.rpartition('/')[2])}"
    return Response(body=content, headers=headers)


_JOB = "/*project/-/jobs/:job_id"
ROUTES = (
    Route("GET", _JOB, page),
    Route("GET", f"{_JOB}/raw", raw),
    Route("GET", f"{_JOB}/artifacts/file/*path", artifact),
)
