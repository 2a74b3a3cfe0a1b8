"""Emulated jobs find Node, npm and the sandbox's packages, whoever they run as. scripts/setup has installed them."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox import node_tools

pytestmark = pytest.mark.integration
VERSIONS: dict[str, str] = json.loads((Path(node_tools.__file__).parent / "node" / "package.json").read_text())[
    "devDependencies"
]
OTHER = 49_999


@pytest.fixture(scope="module")
def binaries() -> Iterator[Path]:
    with TemporaryDirectory(prefix="bug-fix-node-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        placed = node_tools.place(folder / "node")
        assert placed is not None, "run scripts/setup"
        yield placed


@pytest.fixture
def project() -> Iterator[Path]:
    with TemporaryDirectory(prefix="bug-fix-front-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, OTHER, OTHER)
        yield folder


def run(command: str, *, project: Path, binaries: Path) -> tuple[int, str]:
    user = {"user": OTHER, "group": OTHER, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=project,
        env={"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(project), "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    return done.returncode, done.stdout + done.stderr


def declare(project: Path, packages: Mapping[str, str]) -> None:
    (project / "package.json").write_text(json.dumps({"devDependencies": packages}))


def test_another_user_builds_typescript_with_what_package_json_names(project: Path, binaries: Path) -> None:
    declare(project, {name: VERSIONS[name] for name in ("typescript", "@types/node")})
    (project / "main.ts").write_text('import { sep } from "node:path";\nconsole.log(`built ${sep}`);\n')
    build = "npx tsc --types node --module nodenext --strict --outDir out main.ts && node out/main.js"
    code, output = run(f"npm --version && sandbox-npm-ci && {build}", project=project, binaries=binaries)
    assert (code, output.splitlines()[1:]) == (0, ["built /"])


def test_a_package_that_is_not_declared_cannot_be_imported(project: Path, binaries: Path) -> None:
    declare(project, {"prettier": VERSIONS["prettier"]})
    command = 'sandbox-npm-ci && node -e \'require.resolve("prettier"); require.resolve("eslint")\''
    code, output = run(command, project=project, binaries=binaries)
    assert code != 0
    assert "Cannot find module 'eslint'" in output


@pytest.mark.parametrize(
    ("packages", "sentence"),
    [
        (
            {"left-pad": "1.3.0"},
            "the sandbox has no left-pad; add it to sandbox/node/package.json and run scripts/setup.",
        ),
        (
            {"prettier": "^2.0.0"},
            f"the sandbox has prettier {VERSIONS['prettier']}, package.json wants ^2.0.0; name the same version.",
        ),
    ],
)
def test_what_the_sandbox_does_not_have_is_named(
    packages: dict[str, str], sentence: str, project: Path, binaries: Path
) -> None:
    declare(project, packages)
    assert run("sandbox-npm-ci", project=project, binaries=binaries) == (1, f"sandbox-npm-ci: {sentence}\n")


def test_without_installed_packages_there_is_nothing_to_place(tmp_path: Path) -> None:
    assert node_tools.place(tmp_path / "node", installed=tmp_path / "absent") is None
    assert not (tmp_path / "node").exists()
