"""What kind of file a path names: test, configuration of tests, lock file, documentation, generated. Tables; pure.

Compared in lower case. They name what is usual; a team's own places belong to the catalogue.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.patch.globs import matches

_TEST_FOLDERS: Final = re.compile(
    r"(tests?|__tests__|specs?|e2e|(unit|integration|functional|acceptance)[-_.]?tests?|.*[._-]tests?)"
)
"""Of a folder's name, in lower case: `tests`, `Api.Tests`, `__tests__`."""

_TEST_NAMES: Final = (
    *("test_*.py", "*_test.py", "conftest.py"),
    *("*.test.*", "*.spec.*", "*.e2e.*", "*.cy.*"),
    *("*tests.cs", "*test.cs", "*_test.go"),
)

COLLECTED: Final = (
    *("test_*.py", "*_test.py"),
    *("*.test.*", "*.spec.*", "*.e2e.*", "*.cy.*"),
    *("*.cs", "*_test.go"),
)
"""Names by which runners find test files of themselves: one that loses such a name is run no more."""

TEST_CONFIGURATION: Final = (
    *("pytest.ini", ".pytest.ini", "tox.ini", "noxfile.py", ".coveragerc"),
    *("jest.config.*", "jest.setup.*", "vitest.config.*", "vitest.workspace.*", "vitest.setup.*"),
    *("playwright.config.*", "playwright-ct.config.*", "karma.conf.*", "cypress.config.*", ".mocharc*", ".nycrc*"),
    *("jest.*.config.*", "vitest.*.config.*", "playwright.*.config.*", "cypress.*.config.*"),
    *("setuptests.*", "setup-tests.*", "test-setup.*", "jest-setup.*", "vitest-setup.*", ".env.test*"),
    *("tsconfig.spec.json", "tsconfig.test*.json", "tsconfig.vitest.json", "tsconfig.jest.json", "tsconfig.e2e.json"),
    *("*.runsettings", "*.testsettings", "xunit.runner.json", "stryker.conf.*", "coverlet.*", "testconfig.json"),
    *("directory.build.rsp", "msbuild.rsp", "bunfig.toml"),
    *(".eslintrc*", "eslint.config.*", ".eslintignore", ".flake8", ".pylintrc", "ruff.toml", ".ruff.toml", "mypy.ini"),
)
"""Files that do nothing but say how tests and checks are run."""

SNAPSHOTS: Final = (
    *("__snapshots__/**", "__image_snapshots__/**", "*-snapshots/**", "*.snap", "*.ambr"),
    *("*.verified.*", "*.approved.*"),
)
"""What tests compare with: it belongs to its test file."""

COMMAND_FILES: Final = ("makefile", "gnumakefile", "*.mk", "justfile", ".justfile", "taskfile.y*ml")
"""Files by which tests are started."""

MIXED: Final = (
    *("package.json", "pyproject.toml", "setup.cfg", "setup.py", "vite.config.*", "tsconfig.json", "go.mod"),
    *("*.csproj", "*.fsproj", "*.vbproj", "*.props", "*.targets", "global.json"),
)
"""Manifests that say how tests are run, and how the product is built: never taken apart from the change."""

MIGRATIONS: Final = ("migrations/**", "alembic/versions/**", "db/migrate/**", "dbmigrations/**")
"""Steps of a database, each of which builds on the one before."""

VENDORED: Final = ("node_modules/**", "bower_components/**", "site-packages/**", ".venv/**", "venv/**")
GENERATED: Final = (
    *(".next/**", ".nuxt/**", "__pycache__/**", "playwright-report/**"),
    *("*.min.js", "*.min.css", "*.js.map", "*.css.map", "*.pyc", "*_pb2.py", "*_pb2.pyi", "*.g.cs"),
    *("*.designer.cs", "*.generated.*"),
)
"""Names that no business uses; those that are words as well are in `pipelines.patch.foreign_files`."""

DOCUMENTATION: Final = (
    *("readme", "changelog", "changes", "history", "upgrading"),
    *("readme.txt", "changelog.txt", "changes.txt", "history.txt", "upgrading.txt"),
    *("*.md", "*.mdx", "*.rst", "*.adoc"),
)
DOCUMENTATION_FOLDERS: Final = ("docs/**", "doc/**", "documentation/**")
"""At the root; below it the same words name code, such as `src/docs/store.py`."""


def is_test(path: str) -> bool:
    """Say whether a file belongs to the tests, by its folder or its name."""
    *folders, _ = path.lower().split("/")
    return any(_TEST_FOLDERS.fullmatch(folder) for folder in folders) or named(path, _TEST_NAMES)


def is_collected(path: str) -> bool:
    """Say whether a runner finds tests in a file of this name."""
    return named(path, COLLECTED)


def is_documentation(path: str) -> bool:
    """Say whether a file is read by people rather than run."""
    is_there = any(matches(pattern, path.lower()) for pattern in DOCUMENTATION_FOLDERS)
    return (is_there or named(path, DOCUMENTATION)) and not is_test(path)


def named(path: str, patterns: tuple[str, ...]) -> bool:
    """Say whether one of the patterns means this path, in whatever folder it lies."""
    lowered = path.lower()
    return any(matches(f"**/{pattern}", lowered) for pattern in patterns)
