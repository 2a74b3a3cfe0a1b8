"""GitLab's predefined variables (doc/ci/variables/predefined_variables.md), those that mean something here."""

import re
from urllib.parse import urlsplit

from sandbox.ci.engine.site import CONFIG_PATH, NewPipeline
from sandbox.ci.instance import merge_request_pipelines
from sandbox.ci.records import Job
from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Commit
from sandbox.gitlab.state import VERSION, State


def of_pipeline(state: State, project: Project, new: NewPipeline, commit: Commit) -> dict[str, str]:
    """Give what is known before the pipeline exists: server, project, commit, source."""
    url = urlsplit(state.url)
    port = str(url.port or (443 if url.scheme == "https" else 80))
    major, minor, patch = VERSION.split(".")
    body = commit.message.partition("\n")[2].strip("\n")
    ref, mr = merge_request_pipelines.source_ref(project, new.ref), merge_request_pipelines.of_ref(project, new.ref)
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_SERVER": "yes",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_URL": state.url,
        "CI_SERVER_HOST": url.hostname or "",
        "CI_SERVER_PORT": port,
        "CI_SERVER_PROTOCOL": url.scheme,
        "CI_SERVER_FQDN": url.netloc,
        "CI_SERVER_VERSION": VERSION,
        "CI_SERVER_VERSION_MAJOR": major,
        "CI_SERVER_VERSION_MINOR": minor,
        "CI_SERVER_VERSION_PATCH": patch,
        "CI_SERVER_REVISION": "sandbox",
        "CI_API_V4_URL": f"{state.url}/api/v4",
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": project.path,
        "CI_PROJECT_TITLE": project.name,
        "CI_PROJECT_PATH": project.path_with_namespace,
        "CI_PROJECT_PATH_SLUG": slug(project.path_with_namespace),
        "CI_PROJECT_NAMESPACE": project.namespace,
        "CI_PROJECT_NAMESPACE_ID": "1",
        "CI_PROJECT_ROOT_NAMESPACE": project.namespace.partition("/")[0],
        "CI_PROJECT_URL": f"{state.url}/{project.path_with_namespace}",
        "CI_PROJECT_VISIBILITY": project.visibility,
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_CONFIG_PATH": CONFIG_PATH,
        "CI_PIPELINE_SOURCE": new.source,
        "CI_COMMIT_SHA": new.sha,
        "CI_COMMIT_SHORT_SHA": new.sha[:8],
        "CI_COMMIT_BEFORE_SHA": new.before_sha,
        "CI_COMMIT_REF_NAME": ref,
        "CI_COMMIT_REF_SLUG": slug(ref),
        **({"CI_COMMIT_BRANCH": ref} if mr is None else merge_request_pipelines.variables(state, project, mr, new.ref)),
        "CI_COMMIT_MESSAGE": commit.message,
        "CI_COMMIT_TITLE": commit.title,
        "CI_COMMIT_DESCRIPTION": body,
        "CI_COMMIT_REF_PROTECTED": str(new.protected).lower(),
        "CI_COMMIT_TIMESTAMP": commit.committer.at.isoformat(),
        "CI_COMMIT_AUTHOR": f"{commit.author.name} <{commit.author.email}>",
    }


def of_job(state: State, project: Project, job: Job) -> dict[str, str]:
    """Give what needs a pipeline and a job."""
    pipeline, definition, user = job.pipeline, job.definition, state.users[job.user_id]
    token = job.token or ""
    path = project.path_with_namespace
    environment = definition.environment
    return {
        "CI_PIPELINE_ID": str(pipeline.id),
        "CI_PIPELINE_IID": str(pipeline.iid),
        "CI_PIPELINE_URL": f"{state.url}/{path}/-/pipelines/{pipeline.id}",
        "CI_PIPELINE_CREATED_AT": pipeline.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "CI_PIPELINE_NAME": pipeline.name or "",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_JOB_NAME_SLUG": slug(job.name),
        "CI_JOB_GROUP_NAME": re.sub(r"(: \[.*\]| \d+/\d+)$", "", job.name),
        "CI_JOB_STAGE": definition.stage,
        "CI_JOB_STATUS": "running",
        "CI_JOB_URL": f"{state.url}/{path}/-/jobs/{job.id}",
        "CI_JOB_STARTED_AT": (job.started_at or job.created_at).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "CI_JOB_TIMEOUT": str(int(definition.timeout_s)),
        "CI_JOB_TOKEN": token,
        **({"CI_JOB_IMAGE": definition.image} if definition.image else {}),
        **({"CI_JOB_MANUAL": "true"} if definition.when.value == "manual" else {}),
        "CI_REPOSITORY_URL": clone_url(state, project, token),
        "CI_RUNNER_ID": "1",
        "CI_RUNNER_DESCRIPTION": "sandbox",
        "CI_RUNNER_TAGS": "[]",
        "CI_RUNNER_VERSION": VERSION,
        "CI_SHARED_ENVIRONMENT": "true",
        "CI_NODE_TOTAL": str(definition.node[1] if definition.node else 1),
        **({"CI_NODE_INDEX": str(definition.node[0])} if definition.node else {}),
        **(
            {
                "CI_ENVIRONMENT_NAME": environment.name,
                "CI_ENVIRONMENT_SLUG": slug(environment.name),
                "CI_ENVIRONMENT_ACTION": environment.action,
            }
            if environment
            else {}
        ),
        "GITLAB_USER_ID": str(user.id),
        "GITLAB_USER_LOGIN": user.username,
        "GITLAB_USER_NAME": user.name,
        "GITLAB_USER_EMAIL": f"{user.username}@sandbox.invalid",
    }


def clone_url(state: State, project: Project, token: str) -> str:
    """Give the URL to clone from with a job token."""
    scheme, _, rest = state.url.partition("://")
    return f"{scheme}://gitlab-ci-token:{token}@{rest}/{project.path_with_namespace}.git"


def slug(text: str) -> str:
    """Shorten as GitLab does: lower case, 63 characters, everything but letters and digits a dash."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:63].strip("-")
