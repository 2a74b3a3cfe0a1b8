"""User ids for untrusted code."""

import os
from pathlib import Path

import pytest

from pipelines.job.isolation.user_ids import NoUidsError, UidBlock


def test_two_jobs_of_the_same_number_have_different_users(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    first, second = UidBlock(3, preferred=7, folder=folder), UidBlock(3, preferred=7, folder=folder)
    assert abs(first.first - second.first) >= 3


def test_a_block_is_free_again_once_its_job_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    first = UidBlock(3, preferred=7, folder=folder)
    taken = first.first
    del first
    assert UidBlock(3, preferred=7, folder=folder).first == taken


def test_all_users_fit_into_the_range_that_rootless_containers_map(tmp_path: Path) -> None:
    assert UidBlock(3, preferred=2_999, folder=tmp_path / "locks").first + 2 < 65_536


def test_a_folder_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(NoUidsError, match="alone"):
        UidBlock(3, preferred=1, folder=folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else's")
def test_a_folder_that_somebody_else_made_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(NoUidsError, match="alone"):
        UidBlock(3, preferred=1, folder=folder)
