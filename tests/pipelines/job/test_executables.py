"""Programs are the runner's own: found by absolute path, in folders that nobody else may write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation.executables import located


def _program(folder: Path, mode: int) -> Path:
    folder.mkdir()
    program = folder / "tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    folder.chmod(mode)
    return program


def test_folders_that_others_may_write_to_are_passed_over(tmp_path: Path) -> None:
    planted, own = _program(tmp_path / "shared", 0o777), _program(tmp_path / "own", 0o755)
    assert located("tool", f"{planted.parent}:relative::{own.parent}") == str(own)
    with pytest.raises(RunnerError, match="tool is not on this runner's PATH"):
        located("tool", str(planted.parent))


def test_a_path_is_left_as_it_is() -> None:
    assert located("/nowhere/tool", "/bin") == "/nowhere/tool"


def test_what_others_can_not_enter_is_none_of_theirs(tmp_path: Path) -> None:
    closed = _program(tmp_path / "closed", 0o700)
    assert located("tool", str(closed.parent)) == str(closed)
    with pytest.raises(RunnerError):
        located("tool", str(closed.parent), for_others=True)
