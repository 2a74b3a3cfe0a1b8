"""ID tokens: RS256 JWTs that the emulated GitLab signs for its jobs, with discovery and key set.

Claims follow doc/ci/secrets/id_token_authentication.md (19.1): all ids are strings, but for `runner_id`. Of the
documented claims, `user_identities` is empty, and `job_config` is left out.
"""

import uuid
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from sandbox.ci.engine.site import CONFIG_PATH
from sandbox.ci.instance import merge_request_pipelines
from sandbox.ci.records import Job
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.model import Project
from sandbox.gitlab.state import State

ALGORITHM: Final = "RS256"
CLAIMS: Final = (
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "iss",
    "jti",
    "namespace_id",
    "namespace_path",
    "project_id",
    "project_path",
    "user_id",
    "user_login",
    "user_email",
    "pipeline_id",
    "pipeline_source",
    "job_id",
    "ref",
    "ref_type",
    "ref_path",
    "ref_protected",
    "environment",
    "environment_protected",
    "runner_id",
    "runner_environment",
    "sha",
    "ci_config_ref_uri",
    "ci_config_sha",
    "project_visibility",
    "job_project_id",
    "job_project_path",
    "job_namespace_id",
    "job_namespace_path",
)


class Signer:
    """The instance's signing key."""

    def __init__(self) -> None:
        self.kid = str(uuid.uuid4())

    @cached_property
    def _key(self) -> RSAPrivateKey:
        """Made when the first token is: it takes a tenth of a second, and many instances sign nothing."""
        return generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: Json) -> str:
        """Sign claims as a JWT."""
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})

    def keys(self) -> Json:
        """Give the key set, `/oauth/discovery/keys`."""
        public: dict[str, Any] = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": ALGORITHM}]}


def discovery(issuer: str) -> Json:
    """Give `/.well-known/openid-configuration`."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/oauth/discovery/keys",
        "response_types_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": CLAIMS,
    }


def claims(state: State, project: Project, job: Job, *, audience: tuple[str, ...], now: datetime) -> Json:
    """Give the claims of one job's token."""
    pipeline, user = job.pipeline, state.users[job.user_id]
    issued = int(now.astimezone(UTC).timestamp())
    ref = merge_request_pipelines.source_ref(project, pipeline.ref)
    ref_path = f"refs/heads/{ref}"
    host = state.url.partition("://")[2]
    own_config = pipeline.parent is None
    environment = job.definition.environment
    expires = now + timedelta(seconds=job.definition.timeout_s)
    return {
        "iss": state.url,
        "iat": issued,
        "nbf": issued - 5,
        "exp": int(expires.astimezone(UTC).timestamp()),
        "jti": str(uuid.uuid4()),
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "sub": f"project_path:{project.path_with_namespace}:ref_type:branch:ref:{ref}",
        "namespace_id": "1",
        "namespace_path": project.namespace,
        "project_id": str(project.id),
        "project_path": project.path_with_namespace,
        "project_visibility": project.visibility,
        "job_project_id": str(project.id),
        "job_project_path": project.path_with_namespace,
        "job_namespace_id": "1",
        "job_namespace_path": project.namespace,
        "user_id": str(user.id),
        "user_login": user.username,
        "user_email": f"{user.username}@sandbox.invalid",
        "user_access_level": state.access(user, project).name.lower(),
        "user_identities": [],
        "groups_direct": [],
        "pipeline_id": str(pipeline.id),
        "pipeline_source": pipeline.source,
        "job_id": str(job.id),
        "job_source": pipeline.source,
        "ref": ref,
        "ref_type": "branch",
        "ref_path": ref_path,
        "ref_protected": str(pipeline.protected).lower(),
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": pipeline.sha,
        "ci_config_ref_uri": f"{host}/{project.path_with_namespace}//{CONFIG_PATH}@{ref_path}" if own_config else None,
        "ci_config_sha": pipeline.sha if own_config else None,
        **(
            {
                "environment": environment.name,
                "environment_protected": "false",
                "deployment_tier": environment.deployment_tier or "other",
                "environment_action": environment.action,
            }
            if environment
            else {}
        ),
    }
