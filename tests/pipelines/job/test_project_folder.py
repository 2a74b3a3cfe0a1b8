"""CI_PROJECT_DIR, which GitLab makes for everybody to write to: nobody leads this program astray through it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.communication.errors import JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.project_folder import held, write
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import ArtifactKind, Phase

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as other users")
LOG = Path(".bug-fix/testing/unit.log")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """Return a folder that nobody may change through CI_PROJECT_DIR."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "unit.log").write_text("precious")
    return folder


@pytest.mark.parametrize("planted", [".bug-fix", ".bug-fix/testing", LOG.as_posix()])
def test_a_link_that_was_planted_in_advance_is_replaced(project_dir: Path, precious: Path, planted: str) -> None:
    (project_dir / planted).parent.mkdir(parents=True, exist_ok=True)
    (precious / "testing").mkdir()
    target = precious / "unit.log" if planted == LOG.as_posix() else precious
    (project_dir / planted).symlink_to(target)
    kept = Artifacts(project_dir, Phase.TESTING).keep(ArtifactKind.LOG, LOG.name, b"of the job")
    assert kept.path == LOG.as_posix()
    assert (project_dir / LOG).read_bytes() == b"of the job"
    assert not (project_dir / planted).is_symlink()
    assert (precious / "unit.log").read_text() == "precious"
    assert list((precious / "testing").iterdir()) == []


def test_a_folder_or_a_second_name_in_the_way_is_replaced(project_dir: Path, precious: Path) -> None:
    (project_dir / LOG / "deep").mkdir(parents=True)
    (project_dir / LOG / "link").symlink_to(precious)
    write(project_dir, LOG, b"first")
    (project_dir / LOG).unlink()
    (project_dir / LOG).hardlink_to(precious / "unit.log")
    write(project_dir, LOG, b"second")
    assert (project_dir / LOG).read_bytes() == b"second"
    assert (precious / "unit.log").read_text() == "precious"


def test_the_folder_is_as_before_when_the_job_ends(project_dir: Path) -> None:
    project_dir.chmod(0o777)

    def stop_within() -> None:
        with held(project_dir):
            assert stat.S_IMODE(project_dir.stat().st_mode) == 0o700
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_within()
    assert stat.S_IMODE(project_dir.stat().st_mode) == 0o777


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"CI_PROJECT_DIR .*absent can't be opened"), held(tmp_path / "absent"):
        pass


def test_another_folder_put_in_its_place_gets_nothing(project_dir: Path, precious: Path) -> None:
    with held(project_dir) as folder:
        moved = project_dir.rename(project_dir.with_name("moved"))
        project_dir.symlink_to(precious)
        Artifacts(folder, Phase.TESTING).keep(ArtifactKind.LOG, LOG.name, b"of the job")
    assert (moved / LOG).read_bytes() == b"of the job"
    assert [path.name for path in precious.iterdir()] == ["unit.log"]


def test_a_cache_that_is_a_link_is_neither_handed_out_nor_followed(
    launcher: Launcher, precious: Path, project_dir: Path, catalogue_of: Any
) -> None:
    (repository,) = catalogue_of(["python"]).repositories.values()
    artifacts = Artifacts(project_dir, Phase.PREPARE)
    facts = {"repository": repository, "launcher": launcher, "artifacts": artifacts, "log": JobLog()}
    place = Checkout(name="work", place="work", role=Role.WORK, **facts)
    place.folder.mkdir(parents=True)
    (project_dir / ".cache").symlink_to(precious)
    place.settle(project_dir)
    cache = place.home / "project/.cache"
    assert not cache.exists()
    cache.mkdir()
    (cache / "wheel").write_text("x")
    place.return_cache(project_dir)
    assert (project_dir / ".cache/wheel").read_text() == "x"
    assert not (project_dir / ".cache").is_symlink()
    assert [path.name for path in precious.iterdir()] == ["unit.log"]


@as_root
@pytest.mark.integration
def test_untrusted_code_cannot_change_or_read_a_folder_made_for_everybody(launcher: Launcher, precious: Path) -> None:
    place = launcher.root / "builds"  # the parents of pytest's folders are closed to others anyway
    place.mkdir()
    place.chmod(0o777)
    attack = (
        f"cat {place}/secret; mv {place}/.bug-fix {place}/old; ln -s {precious} {place}/.bug-fix; touch {place}/here"
    )

    def attacked() -> str:
        command = ["/bin/sh", "-c", attack]
        return launcher.run(command, role=Role.WORK, cwd=launcher.root, timeout_s=60.0).output

    with held(place) as folder:
        write(folder, Path("secret"), b"of another job")
        write(folder, LOG, b"first")
        assert attacked().count("Permission denied") == 4
        write(folder, LOG, b"second")
        assert (place / LOG).read_bytes() == b"second"
        assert sorted(path.name for path in place.iterdir()) == [".bug-fix", "secret"]
    assert "of another job" in attacked(), "the attack works where nothing holds it off"
    assert (place / ".bug-fix").is_symlink()
    write(place, LOG, b"third")
    assert [path.name for path in precious.iterdir()] == ["unit.log"]
