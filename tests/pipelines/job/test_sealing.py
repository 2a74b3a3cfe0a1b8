"""What judges is read by every user of the job and written by none; sealing it changes nothing of anybody else."""

from __future__ import annotations

import os

import pytest

from pipelines.job.frameworks import _seal
from pipelines.job.processes import Launcher, Role

pytestmark = pytest.mark.integration


def test_a_sealed_tree_is_read_by_all_and_written_by_none(launcher: Launcher) -> None:
    uid = launcher.uid(Role.BROWSER)
    if uid is None:
        pytest.skip("the runner of this test may not change users, so there is nobody to keep out")
    tree = launcher.root / "tree"
    (tree / "package").mkdir(parents=True)
    (tree / "package" / "cli.js").write_text("exit 0")
    (tree / "package" / "run").write_text("#!/bin/sh\necho ran\n")
    (tree / "package" / "run").chmod(0o700)
    (tree / "package" / "cli.js").chmod(0o600)
    launcher.give(tree, Role.BROWSER)
    private = launcher.root / "private"
    private.write_text("of the supervisor")
    private.chmod(0o600)
    os.link(private, tree / "package" / "stolen")
    (tree / "package" / "link").symlink_to(private)

    _seal(tree, uid=uid)

    command = (
        "cat package/cli.js; package/run; cat package/stolen; cat package/link; echo x >package/cli.js; rm package/run"
    )
    output = launcher.run(["/bin/bash", "-c", command], role=Role.BROWSER, cwd=tree, timeout_s=20).output
    assert output.startswith("exit 0ran\n")
    assert "of the supervisor" not in output
    assert (tree / "package" / "cli.js").read_text() == "exit 0"
    assert (tree / "package" / "run").exists()
    assert private.stat().st_mode & 0o777 == 0o600
