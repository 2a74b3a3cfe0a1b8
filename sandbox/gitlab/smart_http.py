"""git over smart HTTP, by git's own upload-pack and receive-pack as real processes.

Cloning takes Reporter, pushing Developer (protected branches Maintainer). Job tokens clone where they reach, and never
push. gitprotocol-http(5) describes the exchange.
"""

import asyncio
import base64
import binascii
import zlib
from collections.abc import AsyncIterator
from typing import Final

from sandbox.gitlab import auth, pushes
from sandbox.gitlab.auth import Subject
from sandbox.gitlab.model import Access, Project, Push
from sandbox.gitlab.repository import NULL_SHA, Repository, environment
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

SERVICES: Final = {"git-upload-pack": Access.REPORTER, "git-receive-pack": Access.DEVELOPER}
CHUNK: Final = 64 * 1024
CHALLENGE: Final = {"www-authenticate": 'Basic realm="GitLab"'}


def _subject(state: State, request: Request) -> Subject:
    """Find who asks by basic auth: a token as the password, or `gitlab-ci-token` and a job token."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode() if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    name, _, password = pair.partition(":")
    if name == "gitlab-ci-token":
        found = state.job_token_subject(password)
        if found is not None:
            return auth.from_job_token(state, password)
    token = state.tokens.get(password) or state.tokens.get(name)
    user = state.users.get(token.user_id) if token else None
    if token is None or user is None or user.state != "active":
        raise HttpError(401, {"message": "HTTP Basic: Access denied."}, CHALLENGE)
    if not token.scopes & {"api", "read_repository", "write_repository"}:
        raise HttpError(403, {"message": "The token needs one of the scopes api, read_repository, write_repository."})
    return Subject(user, token.scopes)


def _project(state: State, request: Request, service: str) -> tuple[Project, Subject]:
    who = _subject(state, request)
    project = auth.visible(state, who, request.params["project"])
    level = state.access(who.user, project)
    if who.job is not None and level < Access.REPORTER:
        raise HttpError(404, {"message": "404 Project Not Found"})
    if level < Access.REPORTER:
        raise HttpError(403, {"message": "You are not allowed to download code from this project."})
    pushing = service == "git-receive-pack"
    if pushing and (who.job is not None or level < Access.DEVELOPER or who.scopes == {"read_repository"}):
        raise HttpError(403, {"message": "You are not allowed to push code to this project."})
    return project, who


async def info_refs(state: State, request: Request) -> Response:
    """Advertise refs."""
    service = request.arg("service")
    if service not in SERVICES:
        raise HttpError(
            403, {"message": "only smart HTTP is served: service must be git-upload-pack or git-receive-pack"}
        )
    project, _ = _project(state, request, service)
    process = await asyncio.create_subprocess_exec(
        *("git", service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs", str(project.repository)),
        stdout=asyncio.subprocess.PIPE,
        env=environment(_protocol(request)),
    )
    refs, _ = await process.communicate()
    line = f"# service={service}\n".encode()
    body = f"{len(line) + 4:04x}".encode() + line + b"0000" + refs
    headers = {"content-type": f"application/x-{service}-advertisement", "cache-control": "no-cache"}
    return Response(body=body, headers=headers)


def _protocol(request: Request) -> dict[str, str]:
    wanted = request.headers.get("git-protocol", "")
    return {"GIT_PROTOCOL": wanted} if wanted in {"version=1", "version=2"} else {}


def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding") == "gzip":
        return zlib.decompress(request.body, wbits=31)
    return request.body


async def upload_pack(state: State, request: Request) -> Response:
    """Serve a fetch, streamed."""
    project, _ = _project(state, request, "git-upload-pack")
    process = await asyncio.create_subprocess_exec(
        *("git", "upload-pack", "--stateless-rpc", str(project.repository)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(_protocol(request)),
    )

    async def stream() -> AsyncIterator[bytes]:
        feeding = asyncio.create_task(_feed(process, _body(request)))
        try:
            while process.stdout is not None and (chunk := await process.stdout.read(CHUNK)):
                yield chunk
        finally:
            await feeding
            await process.wait()

    headers = {"content-type": "application/x-git-upload-pack-result", "cache-control": "no-cache"}
    return Response(body=stream(), headers=headers)


async def _feed(process: asyncio.subprocess.Process, content: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(content)
        await process.stdin.drain()
        process.stdin.close()


async def receive_pack(state: State, request: Request) -> Response:
    """Take a push; a ref that may not be pushed declines all of it, as GitLab's pre-receive hook does."""
    project, who = _project(state, request, "git-receive-pack")
    body = _body(request)
    commands = _commands(body)
    refusal = _refusal(state, project, who, commands)
    async with project.lock:
        process = await asyncio.create_subprocess_exec(
            *("git", "receive-pack", "--stateless-rpc", str(project.repository)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment({**_protocol(request), "SANDBOX_REFUSAL": refusal}),
        )
        output, _ = await process.communicate(body)
        for old, new, ref in commands:
            if await _ref(Repository(project.repository), ref) == new and not refusal:
                await pushes.pushed(state, Push(project=project, user=who.user, ref=ref, before=old, after=new))
    return Response(body=output, headers={"content-type": "application/x-git-receive-pack-result"})


async def _ref(repository: Repository, ref: str) -> str:
    output = await repository.git("for-each-ref", "--format=%(objectname)", ref)
    return output.decode().strip() or NULL_SHA


def _commands(body: bytes) -> list[tuple[str, str, str]]:
    """Read the pkt-lines before the pack: (old, new, ref) each."""
    commands = []
    while body[:4] not in {b"0000", b""}:
        size = int(body[:4], 16)
        old, new, ref = body[4:size].partition(b"\0")[0].decode("utf-8", "replace").strip().split(" ", 2)
        commands.append((old, new, ref))
        body = body[size:]
    return commands


def _refusal(state: State, project: Project, who: Subject, commands: list[tuple[str, str, str]]) -> str:
    maintainer = state.access(who.user, project) >= Access.MAINTAINER
    for _, new, ref in commands:
        branch = ref.removeprefix("refs/heads/")
        if not ref.startswith(("refs/heads/", "refs/tags/")):
            return f"GitLab: You are not allowed to push to {ref}."
        if branch in project.protected_branches and new == NULL_SHA:
            return "GitLab: You can only delete protected branches using the web interface."
        if branch in project.protected_branches and not maintainer:
            return "GitLab: You are not allowed to push code to protected branches on this project."
    return ""


def add_suffix(state: State, request: Request) -> Response:
    """Lead `group/project` to `group/project.git`, as GitLab does."""
    query = f"?service={request.arg('service')}" if request.arg("service") in SERVICES else ""
    location = f"{state.url}/{request.params['project']}.git/info/refs{query}"
    return Response(status=301, headers={"location": location})


ROUTES = (
    Route("GET", "/*project.git/info/refs", info_refs, query=("service",)),
    Route("POST", "/*project.git/git-upload-pack", upload_pack),
    Route("POST", "/*project.git/git-receive-pack", receive_pack),
    Route("GET", "/*project/info/refs", add_suffix, query=("service",)),
)
