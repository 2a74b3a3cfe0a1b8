"""GitLab's limits on a CI configuration.

Self-managed defaults, from doc/administration/instance_limits.md and doc/administration/cicd/limits.md.
"""

from typing import Final

YAML_BYTES: Final = 2_097_152
"""Of one file; GitLab measures the memory of the parsed objects, this emulator the text."""
YAML_DEPTH: Final = 100
YAML_NODES: Final = 200_000
"""Not GitLab's figure: stands for its memory limit, so that aliases can't blow up."""
ARTIFACT_YAML_BYTES: Final = 5_242_880
"""`max_artifacts_content_include_size`: the artifacts archive that a child's configuration comes from."""
INCLUDES: Final = 150
TRIGGER_INCLUDES: Final = 3
CHILD_DEPTH: Final = 2
HIERARCHY: Final = 1000
NEEDS: Final = 50
NAME: Final = 255
NEEDED_NAME: Final = 128
"""`app/models/ci/build_need.rb`."""
PARALLEL: Final = 200
RETRY: Final = 2
CACHES: Final = 4
EXTENDS_DEPTH: Final = 11
SCRIPT_DEPTH: Final = 10
ARTIFACT_BYTES: Final = 100 * 1024 * 1024
LOG_BYTES: Final = 100 * 1024 * 1024
TIMEOUT_S: Final = 3600
RESERVED_NAMES: Final = frozenset(
    {"image", "services", "stages", "before_script", "after_script", "variables", "cache", "include", "true", "false"}
)
TRIGGER_KEYS: Final = frozenset(
    {
        "trigger",
        "parallel",
        "extends",
        "stage",
        "rules",
        "variables",
        "inherit",
        "allow_failure",
        "when",
        "needs",
        "resource_group",
        "environment",
        "interruptible",
    }
)
"""`lib/gitlab/ci/config/entry/bridge.rb`, without only/except, which this emulator refuses anyway."""
