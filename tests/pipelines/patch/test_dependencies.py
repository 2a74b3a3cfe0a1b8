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
    ("Cargo.toml", CARGO, "Cargo.lock", 'name = "billing"', 'name = "bills"', True),
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


def test_a_list_is_no_manifest(examined: Examined) -> None:
    before = {"package.json": '["a"]\n', "package-lock.json": "x\n"}
    assert any("is as it was" in one for one in examined(before, {"package.json": '["b"]\n'}))


def toml(table: str, line: str) -> str:
    return f'[package]\nname = "a"\n[{table}]\n{line}\n' if table else f'{line}\n[package]\nname = "a"\n'


JSON_KEYS = {
    ("package.json", "package-lock.json", True): (
        *("dependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies"),
        *("bundledDependencies", "bundleDependencies", "overrides", "resolutions", "workspaces"),
    ),
    ("package.json", "package-lock.json", False): (
        *("name", "version", "engines", "packageManager", "license", "bin", "os", "cpu"),
    ),
    ("composer.json", "composer.lock", True): (
        *("require", "require-dev", "conflict", "replace", "provide", "minimum-stability", "repositories"),
    ),
    ("composer.json", "composer.lock", False): ("name", "version", "prefer-stable", "extra", "config"),
}
"""Keys by manifest and lock file; True: other packages are asked for, False: the lock file only repeats them."""
TOML_KEYS = {
    ("pyproject.toml", POETRY_LOCK): (
        *(("tool.poetry", key) for key in ("extras", "group", "source", "dependencies", "dev-dependencies")),
        *(("project", key) for key in ("dependencies", "optional-dependencies", "requires-python")),
        ("", "dependency-groups"),
    ),
    ("pyproject.toml", PDM_LOCK): (
        *(("tool.pdm", key) for key in ("dev-dependencies", "source", "resolution", "overrides")),
        *(("project", key) for key in ("dependencies", "optional-dependencies", "requires-python")),
        ("", "dependency-groups"),
    ),
    ("pyproject.toml", UV_LOCK): (
        *(("tool.uv", key) for key in ("sources", "index", "override-dependencies", "anything")),
        *(("project", key) for key in ("name", "version", "dependencies", "optional-dependencies", "requires-python")),
        ("", "dependency-groups"),
    ),
    ("Pipfile", "Pipfile.lock"): (("", "packages"), ("", "dev-packages"), ("", "source"), ("", "requires")),
    ("Cargo.toml", "Cargo.lock"): (
        *(("", key) for key in ("dependencies", "dev-dependencies", "build-dependencies", "target")),
        *(("", key) for key in ("features", "patch", "replace")),
        *(("workspace", key) for key in ("members", "exclude", "dependencies")),
        ("workspace.package", "version"),
    ),
}
UNASKED = {
    ("pyproject.toml", UV_LOCK): (("tool.uv", "pip"), ("tool.other", "anything")),
    ("pyproject.toml", PDM_LOCK): (("tool.pdm", "anything"),),
    ("pyproject.toml", POETRY_LOCK): (("tool.poetry", "scripts"),),
    ("Pipfile", "Pipfile.lock"): (("", "scripts"), ("", "pipenv")),
    ("Cargo.toml", "Cargo.lock"): (("workspace", "metadata"), ("", "profile")),
}
Keys = dict[tuple[str, str], tuple[tuple[str, str], ...]]


def each(keys: Keys) -> list[tuple[str, str, str, str]]:
    return [(*file, table, key) for file, rows in keys.items() for table, key in rows]


@pytest.mark.parametrize(
    ("manifest", "lock", "asks", "key"), [(*file, key) for file, keys in JSON_KEYS.items() for key in keys]
)
def test_each_key_of_a_json_manifest_asks_or_is_repeated(
    examined: Examined, manifest: str, lock: str, key: str, *, asks: bool
) -> None:
    before, after = {manifest: f'{{"{key}": "1"}}\n', lock: "old\n"}, f'{{"{key}": "2"}}\n'
    assert any("is as it was" in one for one in examined(before, {manifest: after})) is asks
    assert not any("no manifest" in one for one in examined(before, {manifest: after, lock: "new\n"}))


@pytest.mark.parametrize(("manifest", "lock", "table", "key"), each(TOML_KEYS))
def test_each_key_of_a_toml_manifest_that_asks_for_packages_brings_its_lock_file(
    examined: Examined, manifest: str, lock: str, table: str, key: str
) -> None:
    before = {manifest: toml(table, f'"{key}" = "1"'), lock: "old\n"}
    assert any("is as it was" in one for one in examined(before, {manifest: toml(table, f'"{key}" = "2"')}))


@pytest.mark.parametrize(("manifest", "lock", "table", "key"), each(UNASKED))
def test_a_key_of_a_toml_manifest_that_asks_for_no_package_needs_no_lock_file(
    examined: Examined, manifest: str, lock: str, table: str, key: str
) -> None:
    before, after = toml(table, f'"{key}" = "1"'), toml(table, f'"{key}" = "2"')
    assert examined({manifest: before, lock: "old\n"}, {manifest: after}) == ()
    said = examined({manifest: before, lock: "old\n"}, {manifest: after, lock: "new\n"})
    assert "no manifest asks for anything else" in said[0]


@pytest.mark.parametrize(
    ("manifest", "lock", "before", "after"),
    [
        ("go.mod", "go.sum", "module a\nrequire b v1 // direct\n", "module a\n\n\nrequire b v1 //direct too  \n"),
        ("Gemfile", "Gemfile.lock", "gem 'a'\n\n# one\n", "  gem 'a'\n  # two\n\n\n"),
        ("package.json", "package-lock.json", "", "{}\n"),
        ("composer.json", "composer.lock", " \n", '{"description": "Bills"}\n'),
    ],
)
def test_what_says_the_same_asks_for_nothing_else(
    examined: Examined, manifest: str, lock: str, before: str, after: str
) -> None:
    assert examined({manifest: before, lock: "old\n"}, {manifest: after}) == ()
