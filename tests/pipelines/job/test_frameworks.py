"""What judges is found as Node finds it, read by every user of the job and written by none; nobody else's changes."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.frameworks import _seal, installed

pytestmark = pytest.mark.integration


def test_a_sealed_tree_is_read_by_all_and_written_by_none(launcher: Launcher) -> None:
    uid = launcher.users.uid(Role.BROWSER)
    if uid is None:
        pytest.skip("the runner of this test may not change users, so there is nobody to keep out")
    tree = launcher.root / "tree"
    (tree / "package").mkdir(parents=True)
    (tree / "package" / "cli.js").write_text("exit 0")
    (tree / "package" / "run").write_text("#!/bin/sh\necho ran\n")
    (tree / "package" / "run").chmod(0o700)
    (tree / "package" / "cli.js").chmod(0o600)
    launcher.users.give(tree, Role.BROWSER)
    private = launcher.root / "private"
    private.write_text("of the supervisor")
    private.chmod(0o600)
    os.link(private, tree / "package" / "stolen")
    (tree / "package" / "link").symlink_to(private)

    _seal(tree, uid=uid)

    command = (
        "cat package/cli.js; package/run; cat package/stolen; cat package/link; echo x >package/cli.js; rm package/run"
    )
    output = launcher.run(["/bin/bash", "-c", command], role=Role.BROWSER, cwd=tree, timeout_s=60).output
    assert output.startswith("exit 0ran\n")
    assert "of the supervisor" not in output
    assert (tree / "package" / "cli.js").read_text() == "exit 0"
    assert (tree / "package" / "run").exists()
    assert private.stat().st_mode & 0o777 == 0o600


def package(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "cli.js").touch()


@pytest.mark.parametrize(
    ("real", "link", "found"),
    [
        ("node_modules/@playwright/test", None, ("node_modules", "@playwright/test")),
        ("web/node_modules/@playwright/test", None, ("web/node_modules", "@playwright/test")),
        (
            "node_modules/.pnpm/test@1/node_modules/@playwright/test",
            "web/node_modules/@playwright/test",
            ("node_modules", ".pnpm/test@1/node_modules/@playwright/test"),
        ),
        ("node_modules/other", None, None),
        ("packages/test", "node_modules/@playwright/test", None),
    ],
    ids=[
        "hoisted",
        "beside its package.json",
        "a workspace of pnpm",
        "not installed",
        "a package of the checkout's own",
    ],
)
def test_the_package_is_found_as_node_finds_it(
    tmp_path: Path, real: str, link: str | None, found: tuple[str, str] | None
) -> None:
    package(tmp_path / real)
    if link is not None:
        (tmp_path / link).parent.mkdir(parents=True)
        (tmp_path / link).symlink_to(os.path.relpath(tmp_path / real, (tmp_path / link).parent))
    expected = None if found is None else (tmp_path / found[0], Path(found[1]))
    assert installed(tmp_path, PurePosixPath("web")) == expected


def test_a_folder_that_is_a_link_is_not_taken(tmp_path: Path) -> None:
    package(tmp_path / "elsewhere" / "@playwright" / "test")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "node_modules").symlink_to(tmp_path / "elsewhere")
    assert installed(tmp_path / "checkout", PurePosixPath()) is None
