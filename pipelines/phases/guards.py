"""Guards on a patch, outside of the model: the pure rules, and a scan for secrets by detect-secrets."""

from __future__ import annotations

from pipelines.catalogue import Policy, Repository
from pipelines.patch import PatchSummary, violations
from pipelines.patch.secret_scan import find_secrets
from pipelines.wire import MAX_BLOB


def patch_problems(summary: PatchSummary, repository: Repository, policy: Policy) -> list[str]:
    """Return why the patch is refused, a sentence each."""
    if summary.size > MAX_BLOB:  # said alone: nobody reads the rest of so much
        return [f"The patch has {summary.size} bytes; {MAX_BLOB} can be submitted."]
    return [*violations(summary, allowed=repository.paths_allowed, policy=policy), *find_secrets(summary)]
