"""Which changes of a manifest ask for other packages, by ecosystem: these bring their lock file, others need none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Examined = Callable[..., tuple[str, ...]]

POETRY = """\
[tool.poetry]
name = "billing"
version = "2.3.0"
description = "Bills"
authors = ["A <a@b.example>"]

[tool.poetry.dependencies]
python = "^3.11"
httpx = "^0.27"

[tool.black]
line-length = 100
"""
PROJECT = """\
[project]
name = "billing"
version = "2.3.0"
description = "Bills"
requires-python = ">=3.11"
dependencies = ["httpx>=0.27"]

[dependency-groups]
dev = ["attrs"]

[tool.other]
x = 1
"""
CARGO = """\
[package]
name = "billing"
version = "0.3.1"
description = "Bills"

[dependencies]
serde = "1"

[profile.release]
lto = true
"""
GO = """\
module example.com/billing

go 1.22

require (
\texample.com/money v1.2.0 // for sums
)
"""
PIPFILE = """\
[packages]
httpx = "*"

[scripts]
start = "python -m billing"
"""
GEMFILE = "# ours\nsource 'https://gems.example'\n\ngem 'rails', '~> 7'\n"
COMPOSER = '{"name": "acme/billing", "version": "1.0.0", "require": {"php": ">=8"}, "description": "Bills"}'
PACKAGE = '{"name": "billing", "version": "1.0.0", "dependencies": {"zod": "3"}, "engines": {"node": ">=20"}}'
CSPROJ = """\
<Project><PropertyGroup><Version>1.0.0</Version></PropertyGroup>
<ItemGroup><PackageReference Include="Money" Version="1.0.0" /></ItemGroup></Project>
"""

POETRY_LOCK, UV_LOCK, PDM_LOCK = "poetry.lock", "uv.lock", "pdm.lock"
ROWS = [
    # manifest, its text, lock file, what is replaced, by what; whether other packages are asked for
    ("pyproject.toml", POETRY, POETRY_LOCK, "2.3.0", "2.3.1", False),
    ("pyproject.toml", POETRY, POETRY_LOCK, "Bills", "Invoices", False),
    ("pyproject.toml", POETRY, POETRY_LOCK, "A <a@", "B <b@", False),
    ("pyproject.toml", POETRY, POETRY_LOCK, "line-length = 100", "line-length = 90", False),
    ("pyproject.toml", POETRY, POETRY_LOCK, "^0.27", "^0.28", True),
    ("pyproject.toml", POETRY, POETRY_LOCK, 'python = "^3.11"', 'python = "^3.12"', True),
    ("pyproject.toml", PROJECT, POETRY_LOCK, "2.3.0", "2.3.1", False),
    ("pyproject.toml", PROJECT, POETRY_LOCK, '"httpx>=0.27"', '"httpx>=0.28"', True),
    ("pyproject.toml", PROJECT, POETRY_LOCK, '"attrs"', '"attrs", "trio"', True),
    ("pyproject.toml", PROJECT, PDM_LOCK, "2.3.0", "2.3.1", False),
    ("pyproject.toml", PROJECT, PDM_LOCK, ">=3.11", ">=3.12", True),
    ("pyproject.toml", PROJECT, UV_LOCK, "2.3.0", "2.3.1", True),  # uv.lock holds the project itself
    ("pyproject.toml", PROJECT, UV_LOCK, "Bills", "Invoices", False),
    ("pyproject.toml", PROJECT, UV_LOCK, "x = 1", "x = 2", False),
    ("Cargo.toml", CARGO, "Cargo.lock", "0.3.1", "0.3.2", True),  # so does Cargo.lock
    ("Cargo.toml", CARGO, "Cargo.lock", "Bills", "Invoices", False),
    ("Cargo.toml", CARGO, "Cargo.lock", "lto = true", "lto = false", False),
    ("Cargo.toml", CARGO, "Cargo.lock", 'serde = "1"', 'serde = "1.0.200"', True),
    ("go.mod", GO, "go.sum", "go 1.22", "go 1.23", False),
    ("go.mod", GO, "go.sum", "// for sums", "// for all sums", False),
    ("go.mod", GO, "go.sum", "v1.2.0", "v1.3.0", True),
    ("Pipfile", PIPFILE, "Pipfile.lock", "-m billing", "-m bills", False),
    ("Pipfile", PIPFILE, "Pipfile.lock", 'httpx = "*"', 'httpx = ">=0.28"', True),
    ("Gemfile", GEMFILE, "Gemfile.lock", "# ours", "# all of ours", False),
    ("Gemfile", GEMFILE, "Gemfile.lock", "~> 7", "~> 8", True),
    ("composer.json", COMPOSER, "composer.lock", "1.0.0", "1.0.1", False),
    ("composer.json", COMPOSER, "composer.lock", ">=8", ">=8.2", True),
    ("package.json", PACKAGE, "package-lock.json", "1.0.0", "1.0.1", False),
    ("package.json", PACKAGE, "yarn.lock", ">=20", ">=22", False),
    ("package.json", PACKAGE, "package-lock.json", '"zod": "3"', '"zod": "4"', True),
    ("Api.csproj", CSPROJ, "packages.lock.json", "<Version>1.0.0", "<Version>1.0.1", False),
    ("Api.csproj", CSPROJ, "packages.lock.json", 'Version="1.0.0"', 'Version="1.0.1"', True),
]


@pytest.mark.parametrize(("manifest", "text", "lock", "old", "new", "asks"), ROWS)
def test_only_what_asks_for_other_packages_brings_its_lock_file(
    examined: Examined, manifest: str, text: str, lock: str, old: str, new: str, *, asks: bool
) -> None:
    before = {manifest: text, lock: "old\n"}
    after = text.replace(old, new)
    assert after != text
    said = examined(before, {manifest: after})
    assert any(f"`{lock}` is as it was" in sentence for sentence in said) is asks
    if asks:
        assert examined(before, {manifest: after, lock: "new\n"}) == ()


@pytest.mark.parametrize(
    ("manifest", "text", "lock", "old", "new", "is_held"),
    [
        ("package.json", PACKAGE, "package-lock.json", "1.0.0", "1.0.1", True),
        ("package.json", PACKAGE, "package-lock.json", ">=20", ">=22", True),
        ("composer.json", COMPOSER, "composer.lock", "1.0.0", "1.0.1", True),
        ("composer.json", COMPOSER, "composer.lock", "Bills", "Invoices", False),
        ("pyproject.toml", POETRY, POETRY_LOCK, "2.3.0", "2.3.1", False),
    ],
)
def test_a_lock_file_that_repeats_what_changed_may_change_with_it(
    examined: Examined, manifest: str, text: str, lock: str, old: str, new: str, *, is_held: bool
) -> None:
    said = examined({manifest: text, lock: "old\n"}, {manifest: text.replace(old, new), lock: "new\n"})
    assert said == () if is_held else "no manifest asks for anything else" in said[0]


@pytest.mark.parametrize("manifest", ["Cargo.toml", "composer.json", "pyproject.toml"])
def test_a_manifest_that_is_none_is_held_against_its_lock_file(examined: Examined, manifest: str) -> None:
    lock = {"Cargo.toml": "Cargo.lock", "composer.json": "composer.lock", "pyproject.toml": "uv.lock"}[manifest]
    assert any("is as it was" in one for one in examined({manifest: "", lock: "x\n"}, {manifest: "[[[\n"}))
