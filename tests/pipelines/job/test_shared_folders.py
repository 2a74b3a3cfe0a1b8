"""What everybody may write to is found near the root, and what a user left there is removed."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.job.isolation import shared_folders
from pipelines.job.isolation.shared_folders import Device, Shared


def _shared(path: Path) -> Path:
    path.mkdir(parents=True)
    path.chmod(0o777)
    return path


def test_shared_folders_are_found_four_levels_deep_and_on_the_way_to_a_path(tmp_path: Path) -> None:
    near, inner = _shared(tmp_path / "run" / "lock"), _shared(tmp_path / "run" / "lock" / "inner")
    far = _shared(tmp_path / "a" / "b" / "c" / "d" / "e")
    (tmp_path / "link").symlink_to(near)
    assert shared_folders.found(tmp_path).folders == (near, inner)
    found = shared_folders.found(tmp_path, beside=[far / "builds" / "job"]).folders
    assert [path for path in found if path.is_relative_to(tmp_path)] == [near, inner, far]


def test_what_a_user_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = _shared(tmp_path / "lock")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "file").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    (tmp_path / "kept").write_text("x")
    Shared(folders=(folder,)).remove_owned(os.geteuid() + 1)
    assert len(list(folder.iterdir())) == 3
    Shared(folders=(folder, tmp_path / "absent")).remove_owned(os.geteuid())
    assert list(folder.iterdir()) == []
    assert (tmp_path / "kept").exists()


def test_a_device_gets_its_times_back(tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.touch()
    os.utime(device, ns=(5, 7))
    Shared(folders=(), devices=(Device(path=str(device), times_ns=(1, 2)),)).restore_times()
    assert (device.stat().st_atime_ns, device.stat().st_mtime_ns) == (1, 2)
