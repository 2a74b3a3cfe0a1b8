"""The embedded server's folder in the shared temporary one: nobody else may have made it, or write in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from receiver.store.postgres.embedded import private_folder


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_is_made_once_and_only_its_user_can_write_in_it(shared: Path) -> None:
    folder = private_folder()
    assert (folder.parent, folder.stat().st_mode & 0o777, private_folder()) == (shared, 0o700, folder)


@pytest.mark.parametrize("kind", ["link", "writable"])
def test_a_folder_that_others_can_change_is_refused_with_a_sentence(kind: str, shared: Path) -> None:
    folder = private_folder()
    if kind == "link":
        folder.rename(shared / "elsewhere")
        folder.symlink_to(shared / "elsewhere")
    else:
        folder.chmod(0o777)
    with pytest.raises(PermissionError, match="not a folder that only you can write"):
        private_folder()
