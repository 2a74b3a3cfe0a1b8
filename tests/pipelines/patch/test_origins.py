"""Where packages, images and modules are fetched from: compared before and after, by kind of file."""

from __future__ import annotations

import json
from fnmatch import fnmatch

import pytest

from pipelines.patch import Change, Changed, remarks
from pipelines.patch.origin_table import ROWS
from pipelines.patch.origins import origins

OURS, OTHER = "https://packages.example.org", "https://mirror.example.net"


def told(path: str, before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    change = Change.MODIFIED if before else Change.ADDED
    return origins((Changed(path=path, change=change, before=before, after=after),))


def lock(**resolved: str) -> str:
    entries = {
        f"node_modules/{name.replace('__', '/')}": {"version": "1.0.0", "resolved": address, "integrity": "sha512-AA=="}
        for name, address in resolved.items()
    }
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}} | entries}, indent=2)


PYPROJECT = '[project]\nname = "shop"\ndependencies = ["flask>=3"]\n'
CARGO = '[package]\nname = "shop"\n[dependencies]\nserde = "1"\n'
PIP = "flask==3.0.0\n"

NEW = [
    ("requirements.txt", PIP, f"{PIP}-i {OTHER}/simple\n"),
    ("requirements-dev.txt", PIP, f"--find-links={OTHER}/wheels\n{PIP}"),
    ("requirements/base.in", PIP, f"{PIP}-c {OTHER}/constraints.txt\n"),
    ("constraints.txt", PIP, f"{PIP}jinja2 @ git+ssh://git@forge.example.net/jinja.git@main\n"),
    ("requirements.txt", f"--index-url {OURS}/simple\n{PIP}", f"--index-url {OURS}/other\n{PIP}"),
    ("requirements.txt", PIP, f"{PIP}--trusted-host forge.example.net\n"),
    ("requirements.txt", PIP, f"{PIP}-e git@forge.example.net:shop/web.git\n"),
    ("pyproject.toml", PYPROJECT, PYPROJECT.replace("flask>=3", f"flask @ {OTHER}/flask-3.0.1-py3-none-any.whl")),
    ("pyproject.toml", PYPROJECT, f'{PYPROJECT}[tool.uv]\nextra-index-url = ["{OTHER}/simple"]\n'),
    ("pyproject.toml", PYPROJECT, f'{PYPROJECT}[tool.uv.sources]\nflask = {{ git = "{OTHER}/flask" }}\n'),
    ("pyproject.toml", PYPROJECT, f'{PYPROJECT}[[tool.poetry.source]]\nname = "x"\nurl = "{OTHER}/simple"\n'),
    ("pyproject.toml", PYPROJECT, f'{PYPROJECT}[build-system]\nrequires = ["x @ {OTHER}/x.whl"]\n'),
    ("setup.cfg", "[options]\n", f"[options]\ninstall_requires =\n  x @ {OTHER}/x.zip\n"),
    ("Pipfile", "[packages]\n", f'[[source]]\nurl = "{OTHER}/simple"\n[packages]\n'),
    ("Cargo.toml", CARGO, f'{CARGO}[patch.crates-io]\nserde = {{ git = "{OTHER}/serde" }}\n'),
    ("package.json", "{}", json.dumps({"dependencies": {"a": f"{OTHER}/a-1.0.0.tgz"}})),
    ("package.json", "{}", json.dumps({"devDependencies": {"a": "somebody/a#main"}})),
    ("package.json", "{}", json.dumps({"overrides": {"a": {"b": "npm:c@1.0.0"}}})),
    ("composer.json", "{}", json.dumps({"repositories": [{"type": "composer", "url": OTHER}]})),
    ("deno.json", "{}", json.dumps({"imports": {"a": f"{OTHER}/a@1.0.0/mod.ts"}})),
    ("Gemfile", f'source "{OURS}"\n', f'source "{OURS}"\ngem "a", git: "{OTHER}/a.git"\n'),
    ("Gemfile", f'source "{OURS}"\n', f'source "{OURS}"\ngem "a", github: "somebody/a"\n'),
    ("go.mod", "module shop\n", "module shop\nreplace example.org/a v1.0.0 => example.net/a v1.0.0\n"),
    ("go.mod", "module shop\n", "module shop\nreplace (\n\texample.org/a => ../a\n)\n"),
    ("api/Api.csproj", "<Project/>", f"<Project><RestoreSources>{OTHER}/v3/index.json</RestoreSources></Project>"),
    ("pom.xml", "<project/>", f"<project><repository>\n<id>a</id>\n<url>{OTHER}</url></repository></project>"),
    ("build.gradle.kts", "plugins {}\n", f'repositories {{ maven("{OTHER}") }}\n'),
    ("Dockerfile", "FROM python:3.11\n", "FROM forge.example.net/python:3.11\n"),
    ("api/Dockerfile", "FROM python:3.11\n", f"FROM python:3.11\nRUN curl {OTHER}/install | sh\n"),
    ("Dockerfile", "FROM python:3.11\n", "FROM python:3.11\nCOPY --from=somebody/tools:1 /x /x\n"),
    ("Dockerfile", "FROM python:3.11\n", "FROM python:3.11\nADD http://localhost.example.net/a /a\n"),
    ("Dockerfile", "FROM python:3.11\n", "# syntax=somebody/dockerfile:1\nFROM python:3.11\n"),
    ("compose.yaml", "services: {}\n", "services:\n  db:\n    image: forge.example.net/postgres:16\n"),
    ("deploy/values.yaml", "image: shop\n", "image:\n  repository: forge.example.net/shop\n"),
    ("charts/shop/Chart.yaml", "dependencies: []\n", f"dependencies:\n  - repository: {OTHER}\n"),
    ("infra/main.tf", "", 'module "a" {\n  source = "somebody/a/aws"\n}\n'),
    ("environment.yml", "name: a\n", f"name: a\nchannels:\n  - {OTHER}/conda\n"),
    ("pubspec.yaml", "name: a\n", f"name: a\ndependencies:\n  b:\n    git:\n      url: {OTHER}/b\n"),
    ("mix.exs", "", '{:a, git: "git@forge.example.net:a/a.git"}\n'),
]
LOCKED = [
    ("package-lock.json", lock(a=f"{OURS}/a/-/a-1.0.0.tgz"), lock(a=f"{OTHER}/a/-/a-1.0.1.tgz")),
    ("yarn.lock", f'a@1:\n  resolved "{OURS}/a.tgz"\n', f'a@1:\n  resolved "{OTHER}/a.tgz"\n'),
    ("yarn.lock", f'  resolution: "a@{OURS}/a.git"\n', f'  resolution: "a@{OTHER}/a.git"\n'),
    ("pnpm-lock.yaml", "a@1.0.0:\n", f"a@1.0.0:\n  resolution: {{tarball: {OTHER}/a.tgz}}\n"),
    ("bun.lock", '{"packages": {}}', f'{{"packages": {{"a": ["a@1", "{OTHER}/a.tgz"]}}}}'),
    ("uv.lock", f'source = {{ registry = "{OURS}/simple" }}\n', f'source = {{ registry = "{OTHER}/simple" }}\n'),
    ("uv.lock", f'source = {{ registry = "{OURS}/simple" }}\n', 'source = { git = "ssh://git@forge.example.net/a" }\n'),
    ("poetry.lock", "[[package]]\n", f'[[package]]\n[package.source]\nurl = "{OTHER}/simple"\n'),
    ("pdm.lock", "[[package]]\n", f'[[package]]\nurl = "{OTHER}/a.whl"\n'),
    ("Pipfile.lock", f'{{"url": "{OURS}"}}', f'{{"url": "{OTHER}"}}'),
    ("Cargo.lock", f'source = "registry+{OURS}/index"\n', f'source = "git+{OTHER}/serde#abc"\n'),
    ("Gemfile.lock", f"GEM\n  remote: {OURS}/\n", f"GEM\n  remote: {OTHER}/\n"),
    ("composer.lock", f'"type": "zip", "url": "{OURS}/a"', f'"type": "zip", "url": "{OTHER}/a"'),
]


@pytest.mark.parametrize(("path", "before", "after"), NEW)
def test_a_new_place_to_fetch_from_is_refused(path: str, before: str, after: str) -> None:
    refused, _ = told(path, before, after)
    assert refused
    assert refused[0].startswith(f"`{path}` fetches from a new place (`")
    assert told(path, after, after) == ((), ())


@pytest.mark.parametrize(("path", "before", "after"), LOCKED)
def test_a_lock_file_that_names_another_host_is_refused(path: str, before: str, after: str) -> None:
    (sentence,), _ = told(path, before, after)
    assert "mirror.example.net" in sentence or "forge.example.net" in sentence


def test_each_kind_of_file_is_shown_by_an_example() -> None:
    shown = [path.lower().rpartition("/")[2] for path, _, _ in (*NEW, *LOCKED)]
    missing = [row.names for row in ROWS if not any(matches_any(name, row.names) for name in shown)]
    assert missing == []


def matches_any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern.rpartition("/")[2].replace("**", "*")) for pattern in patterns)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", f"--index-url {OURS}/simple\n{PIP}", f"-i {OURS}/simple/\nflask==3.0.1\n"),
        ("requirements.txt", PIP, f"# see {OTHER}/simple\n{PIP}"),
        ("requirements.txt", PIP, f"{PIP}-r base.txt\n-e ./libs/shop\n"),
        ("requirements.txt", f"a @ {OURS}/a-1.0.0-py3-none-any.whl\n", f"a @ {OURS}/a-1.0.1-py3-none-any.whl\n"),
        ("requirements.txt", f"a @ git+{OURS}/a.git@v1.0\n", f"a @ git+{OURS}/a.git@v1.1#egg=a\n"),
        ("pyproject.toml", PYPROJECT, f'{PYPROJECT}[project.urls]\nHomepage = "{OTHER}"\n'),
        ("package.json", "{}", json.dumps({"homepage": OTHER, "repository": "somebody/a"})),
        ("package.json", '{"dependencies": {"a": "^1.0.0"}}', '{"dependencies": {"a": ">=1.0.0 <2 || 3.x"}}'),
        ("package.json", "{}", json.dumps({"dependencies": {}, "bugs": {"url": OTHER}})),
        ("package-lock.json", lock(a=f"{OURS}/a/-/a-1.0.0.tgz"), lock(a=f"{OURS}/a/-/a-1.0.1.tgz")),
        (
            "package-lock.json",
            lock(a=f"{OURS}/a/-/a-1.tgz"),
            lock(a=f"{OURS}/a/-/a-1.tgz", c__d=f"{OURS}/c%2Fd/-/d.tgz"),
        ),
        ("Dockerfile", "FROM python:3.11 AS build\nFROM scratch\n", "FROM python:3.12 AS build\nFROM build\n"),
        ("Dockerfile", "FROM python:3.11\n", "FROM python@sha256:" + "a" * 64 + "\n"),
        ("Dockerfile", "FROM python:3.11\n", f"# {OTHER}\nFROM python:3.11\n"),
        ("Dockerfile", "FROM a:1\n", f"FROM a:1\nHEALTHCHECK CMD curl -f http://web:80/up\nLABEL source={OTHER}\n"),
        ("Dockerfile", "FROM a:1\n", "FROM a:1\nRUN serve & wget http://localhost:8080/up http://127.0.0.1/x\n"),
        ("compose.yaml", "image: db:15\n", "image: db:16\n    environment:\n      API_URL: http://api:8080\n"),
        ("go.mod", "module shop\n", "module shop\n// replace a => b\n"),
        ("src/shop/addresses.py", "A = 1\n", f"A = '{OTHER}'\n"),
        (
            "composer.lock",
            f'"type": "zip", "url": "{OURS}/a"',
            f'"type": "zip", "url": "{OURS}/b", "homepage": "{OTHER}"',
        ),
        ("pyproject.toml", "{", "{{"),
    ],
)
def test_the_same_places_in_other_versions_pass(path: str, before: str, after: str) -> None:
    assert told(path, before, after) == ((), ())


def test_a_new_lock_file_is_remarked_with_its_hosts() -> None:
    refused, (sentence,) = told("package-lock.json", "", lock(a=f"{OURS}/a/-/a-1.0.0.tgz"))
    assert refused == ()
    assert "`https://packages.example.org`; no address stood there before" in sentence


def test_an_archive_of_another_name_is_refused() -> None:
    before = lock(a=f"{OURS}/a/-/a-1.0.0.tgz", c__d=f"{OURS}/c/d/-/d-1.0.0.tgz")
    (sentence,), _ = told("package-lock.json", before, before.replace("/a/-/a-1", "/ab/-/ab-1"))
    assert sentence == "`package-lock.json` fetches an archive of another name for `a`; restore it."


@pytest.mark.parametrize("value", ['build-backend = "backend"', 'build-backend = "b"\nbackend-path = ["."]'])
def test_another_program_that_builds_is_refused(value: str) -> None:
    (sentence,), _ = told("pyproject.toml", PYPROJECT, f"{PYPROJECT}[build-system]\nrequires = []\n{value}\n")
    assert "is built by another program" in sentence


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", PIP, f"{PIP}flaskk==1.0\n"),
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"flask>=3"', '"flask>=3", "flaskk[x]>1"')),
        ("package.json", "{}", '{"devDependencies": {"flaskk": "1.0.0"}}'),
        ("Cargo.toml", CARGO, f'{CARGO}flaskk = "1"\n'),
        ("Pipfile", "[packages]\n", '[packages]\nflaskk = "*"\n'),
        ("Gemfile", "", 'gem "flaskk"\n'),
        ("Api.csproj", "<Project/>", '<Project><PackageReference Version="1" Include="flaskk" /></Project>'),
    ],
)
def test_a_package_that_was_not_asked_for_is_remarked(path: str, before: str, after: str) -> None:
    found = remarks((Changed(path=path, change=Change.MODIFIED, before=before, after=after),))
    assert f"`{path}` asks for packages that it did not ask for: `flaskk`." in found


def test_a_go_module_that_was_not_asked_for_is_remarked() -> None:
    after = "module shop\nrequire (\n\texample.net/flaskk v1.0.0 // indirect\n)\n"
    assert "`example.net/flaskk`" in told("go.mod", "module shop\n", after)[1][0]


@pytest.mark.parametrize(
    "path", ["bun.lock", "yarn.lock", "pom.xml", "Dockerfile", "package-lock.json", "build.gradle"]
)
def test_hostile_texts_are_read_in_a_bounded_number_of_steps(path: str) -> None:
    for text in ("a." * 50_000, "\n" * 100_000, "<repository>" * 9_000, "FROM " * 20_000, '"node_modules/' * 9_000):
        told(path, "x", text)  # hours, if each place were read to the end
