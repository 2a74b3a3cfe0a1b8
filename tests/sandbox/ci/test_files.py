"""Artifacts, reports and logs: what untrusted jobs leave behind is taken in without harm."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.ci.running.artifacts import UnsafeArchive, collected, pack, unpack
from sandbox.ci.running.job_log import JobLog
from sandbox.ci.running.reports import BadReport, junit
from sandbox.ci.running.script import bash


def test_artifacts_keep_modes_and_inner_links_and_leave_outer_ones(tmp_path: Path) -> None:
    build = tmp_path / "build"
    (build / "out/deep").mkdir(parents=True)
    (build / "out/run.sh").write_text("#!/bin/sh\n")
    (build / "out/run.sh").chmod(0o755)
    (build / "out/deep/a.txt").write_text("a")
    (build / "out/deep/skip.log").write_text("b")
    (build / "out/inner").symlink_to("run.sh")
    (build / "out/outer").symlink_to("/etc/passwd")
    (build / "out/folder").symlink_to("/etc")
    files, unmatched = collected(build, ["out/", "none/*", "../x", "/etc/*"], ["**/*.log"])
    assert [path.relative_to(build).as_posix() for path in files] == ["out/deep/a.txt", "out/inner", "out/run.sh"]
    assert unmatched == ["none/*", "../x", "/etc/*"]
    pack(build, files, tmp_path / "a.zip")
    target = tmp_path / "target"
    target.mkdir()
    assert unpack(tmp_path / "a.zip", target) == 3
    assert (target / "out/run.sh").stat().st_mode & 0o777 == 0o755
    assert (target / "out/inner").is_symlink()


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "link/evil"])  # noqa: S108 - only a name
def test_an_archive_never_writes_outside(name: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "link").symlink_to(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(UnsafeArchive):
        unpack(tmp_path / "a.zip", target)
    assert not (tmp_path / "evil").exists()


def test_an_archives_link_never_leads_outside(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    info = zipfile.ZipInfo("out")
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "../../etc")
    with pytest.raises(UnsafeArchive):
        unpack(tmp_path / "a.zip", target)


def test_junit_outcomes_are_gitlabs() -> None:
    cases = junit(
        b"""<testsuite name="s"><testcase name="a" time="x"/><testcase name="b"><skipped/></testcase>
        <testcase name="c"><error message="m"/></testcase>
        <testsuite name="inner"><testcase name="d" file="f.py"><failure>t</failure></testcase></testsuite>
        </testsuite>"""
    )
    assert [(one.name, one.status, one.system_output, one.classname) for one in cases] == [
        ("a", "success", None, "s"),
        ("b", "skipped", None, "s"),
        ("c", "error", "m", "s"),
        ("d", "failed", "t", "inner"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<testsuite>",
        b'<!DOCTYPE a [<!ENTITY x "x"><!ENTITY y "&x;&x;">]><testsuite>&y;</testsuite>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>',
    ],
)
def test_hostile_junit_is_refused(text: bytes) -> None:
    with pytest.raises(BadReport):
        junit(text)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=12)), st.integers(1, 9))
def test_a_log_never_holds_a_secret_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, noise: list[bytes], size: int
) -> None:
    secret = "glcbt-64_verysecret"
    whole = secret.encode().join([b"", *noise, b""])
    path = tmp_path_factory.mktemp("log") / "job.log"
    log = JobLog(path, [secret])
    for start in range(0, len(whole), size):
        log.write(whole[start : start + size])
    log.close()
    assert secret.encode() not in path.read_bytes()
    assert path.read_bytes() == whole.replace(secret.encode(), b"[MASKED]")


def test_a_scripts_lines_share_a_shell_and_are_shown_before_they_run() -> None:
    text = bash(["A='it''s'", "echo one\necho two"])
    assert text.startswith("set -eo pipefail\n")
    assert "A='it''s'\n" in text
    assert "$ echo one # collapsed multi-line command" in text
    assert text.index("collapsed") < text.index("\necho one\necho two\n")
