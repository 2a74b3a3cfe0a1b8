"""What changed in a work folder, taken and made again byte for byte, without running anything of the folder's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.changes import collect_changes, make_changes, show_changes
from pipelines.job.workspace.repositories import Source, check_out, fetch
from pipelines.language import ProjectPath
from pipelines.language.change_set import SUBMODULE, ChangeSet, FileChange
from tests.changes import change_set, file_change

pytestmark = pytest.mark.integration


@pytest.fixture
def source(launcher: Launcher, repository: Path) -> Source:
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "src" / "Old.py").write_text("x = 1\n")
    (repository / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    (repository / "picture.bin").write_bytes(bytes(range(256)))
    (repository / "here.link").symlink_to("README.md")
    for command in (["add", "--all"], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True).strip()
    path = ProjectPath("payk12/contacts")
    return fetch(launcher.root, repository=path, base_sha=head, url=f"file://{repository}", token="")


@pytest.fixture
def folder(launcher: Launcher, source: Source) -> Path:
    place = launcher.root / "work" / "repository"
    check_out(source, place)
    launcher.users.give(place, Role.WORK)
    return place


def work(launcher: Launcher, folder: Path, command: str) -> str:
    done = launcher.run(["/bin/bash", "-ec", command], role=Role.WORK, cwd=folder, timeout_s=30)
    assert done.exit_code == 0, done.output
    return done.output


def taken(launcher: Launcher, source: Source, folder: Path) -> ChangeSet:
    launcher.end(Role.WORK)
    return collect_changes(source, folder, launcher=launcher, role=Role.WORK)


def files(change: ChangeSet) -> dict[str, FileChange]:
    return {file.path: file for file in change.files}


def test_every_kind_of_change_is_taken_and_made_again_byte_for_byte(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    work(
        launcher,
        folder,
        r"""
        echo new > src/new.py; echo line >> README.md; rm CHANGELOG.md; mkdir __pycache__; touch __pycache__/x.pyc
        mv src/Old.py src/old.py; chmod +x run.sh; printf 'a\r\nB\r\n' > crlf.txt; printf 'no newline' > end.txt
        printf '\001\000\002' > picture.bin; : > empty; mkdir 'odd dir'; printf x > $'odd dir/"qu\\ote"\té\n*?[.txt'
        """,
    )
    change = taken(launcher, source, folder)
    odd = 'odd dir/"qu\\ote"\té\n*?[.txt'
    names = {"README.md", "CHANGELOG.md", "src/Old.py", "src/new.py", "src/old.py", "run.sh", "crlf.txt", "end.txt"}
    assert set(files(change)) == names | {"picture.bin", "empty", odd}
    made = {path: file.after.content for path, file in files(change).items() if file.after is not None}
    assert (made["crlf.txt"], made["end.txt"], made["picture.bin"]) == (b"a\r\nB\r\n", b"no newline", b"\1\0\2")
    assert files(change)["src/Old.py"].after is None
    mode = files(change)["run.sh"]
    assert (mode.before and mode.before.mode, mode.after and mode.after.mode) == ("100644", "100755")
    fresh = launcher.root / "fresh"
    check_out(source, fresh)
    make_changes(source, fresh, change)
    assert {path: (fresh / path).read_bytes() for path in made} == made
    assert not (fresh / "CHANGELOG.md").exists()
    assert os.access(fresh / "run.sh", os.X_OK)
    launcher.users.give(fresh, Role.WORK)
    assert taken(launcher, source, fresh) == change


def test_some_paths_can_be_left_as_they_were(source: Source, folder: Path) -> None:
    change = change_set(
        file_change("src/new.py", None, "x\n"), file_change("*.md", None, "odd\n"), base=source.base_sha
    )
    make_changes(source, folder, change, without=["*.md"])
    assert (folder / "src" / "new.py").exists()
    assert not (folder / "*.md").exists()


SOMEBODY = "-c user.name=t -c user.email=t@example.org"


def test_a_repository_without_a_commit_in_the_work_folder_is_a_folder_of_files(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    work(
        launcher,
        folder,
        f"""
        git init -q sample; echo a > sample/a.txt; mkdir -p deep/er; git -C deep/er init -q; echo b > deep/er/b.txt
        git init -q nothing; git -C src init -q; echo c > src/c.py
        git init -q orphan; cd orphan; echo d > d.txt; git add d.txt; git {SOMEBODY} commit -qm d
        git checkout -q --orphan other
        """,
    )
    assert set(files(taken(launcher, source, folder))) == {
        "sample/a.txt",
        "deep/er/b.txt",
        "src/c.py",
        "orphan/d.txt",
    }
    assert work(launcher, folder, "git -C sample rev-parse --git-dir; git -C orphan branch --list master main | wc -l")
    for name in ("sample", "deep/er", "nothing", "src", "orphan"):
        assert (folder / name / ".git" / "HEAD").is_file()


def test_a_work_folder_may_be_deeper_than_python_recurses(launcher: Launcher, source: Source, folder: Path) -> None:
    """A folder of nothing but folders is no change, and a repository far down is one like others."""
    work(
        launcher,
        folder,
        f"mkdir -p {'d/' * 1_400}; mkdir -p {'e/' * 1_100}; git -C {'e/' * 1_100} init -q; echo n >new",
    )
    assert set(files(taken(launcher, source, folder))) == {"new"}
    work(launcher, folder, "rm -rf d e")


def test_a_repository_with_a_commit_is_a_submodule_which_the_rules_refuse(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    commit = f"git {SOMEBODY} commit -qm x; git pack-refs --all"
    work(launcher, folder, f"git init -q lib; cd lib; echo x > x; git add x; {commit}")
    (change,) = taken(launcher, source, folder).files
    assert (change.path, change.after and change.after.mode) == ("lib", SUBMODULE)


def test_committed_work_is_taken_too(launcher: Launcher, source: Source, folder: Path) -> None:
    work(launcher, folder, "echo x > a.txt; git add a.txt; git commit -qm x; echo y > b.txt")
    assert set(files(taken(launcher, source, folder))) == {"a.txt", "b.txt"}


def test_a_made_change_is_not_committed_and_leaves_nothing_in_git(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    before = {path for path in (folder / ".git").rglob("*") if path.is_file()}
    change = change_set(file_change("new.txt", None, "x\n"), base=source.base_sha)
    make_changes(source, folder, change)
    assert {path for path in (folder / ".git").rglob("*") if path.is_file()} == before
    launcher.users.give(folder, Role.WORK)
    assert work(launcher, folder, "git status --porcelain") == "?? new.txt\n"


def test_nothing_of_the_work_folders_git_runs_when_changes_are_taken(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    marker = launcher.home(Role.WORK) / "ran"
    trap = f"touch {marker}; cat"
    work(
        launcher,
        folder,
        f"""
        for hook in pre-commit post-index-change fsmonitor; do mkdir -p .git/hooks
          printf '#!/bin/sh\\ntouch {marker}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done
        git config core.fsmonitor .git/hooks/fsmonitor
        git config filter.evil.clean '{trap}'; git config filter.evil.smudge '{trap}'
        git config diff.evil.textconv 'touch {marker}; echo'; git config diff.external 'touch {marker}; true'
        git config core.attributesFile {folder}/.git/attrs; echo '* filter=evil diff=evil' > .git/attrs
        echo '* filter=evil diff=evil -text' > .gitattributes
        printf '[core]\\n fsmonitor = {folder}/.git/hooks/fsmonitor\\n' > $HOME/.gitconfig
        echo changed >> README.md; rm -f {marker}
        """,
    )
    change = taken(launcher, source, folder)
    shown = show_changes(source, change)
    assert not marker.exists()
    assert b"+changed\n" in shown
    assert set(files(change)) == {".gitattributes", "README.md"}


def test_attributes_do_not_hide_text_as_binary(launcher: Launcher, source: Source, folder: Path) -> None:
    work(launcher, folder, "echo '*.py binary' > .gitattributes; echo 'x = 1' > a.py")
    assert b"+x = 1\n" in show_changes(source, taken(launcher, source, folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="as the same user there is nothing that it could not read anyway")
def test_links_in_the_work_folder_reach_nothing_that_its_owner_could_not_read(
    launcher: Launcher, source: Source, folder: Path
) -> None:
    secret = launcher.root / "secret"
    secret.write_text("of the supervisor")
    secret.chmod(0o600)
    work(launcher, folder, f"ln -s {secret} link.txt; ln -s {launcher.root} up")
    os.link(secret, folder / "hard.txt")
    with pytest.raises(JobError, match=r"hard\.txt"):
        taken(launcher, source, folder)
    (folder / "hard.txt").unlink()
    change = taken(launcher, source, folder)
    assert {file.after and file.after.mode for file in change.files} == {"120000"}
    assert all(b"of the supervisor" not in file.after.content for file in change.files if file.after)


def test_bytes_survive_whatever_attributes_say(launcher: Launcher, source: Source, folder: Path) -> None:
    work(launcher, folder, r"echo '* text eol=crlf ident' > .gitattributes; printf 'a\r\nb\n$Id$\n' > mixed.txt")
    change = taken(launcher, source, folder)
    fresh = launcher.root / "fresh"
    check_out(source, fresh)
    make_changes(source, fresh, change)
    assert (fresh / "mixed.txt").read_bytes() == b"a\r\nb\n$Id$\n"


def test_a_name_that_is_not_utf_8_is_named(launcher: Launcher, source: Source, folder: Path) -> None:
    work(launcher, folder, r"touch $'caf\xe9.txt'")
    with pytest.raises(JobError, match=r"not UTF-8: b'caf\\xe9\.txt'"):
        taken(launcher, source, folder)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (file_change("README.md", "nothing like it", "x"), "does not fit 'README.md'"),
        (file_change("README.md", None, "x"), "does not fit 'README.md'"),
        (file_change("gone.md", "x", None), "does not fit 'gone.md'"),
        (file_change("run.sh", "#!/bin/sh\n", None, old_mode="100755"), "does not fit 'run.sh'"),
        (file_change("../out.txt", None, "x"), "no such change"),
        (file_change(".git/hooks/pre-commit", None, "x"), "no such change"),
        (file_change("/tmp/out.txt", None, "x"), "no such change"),  # noqa: S108 - a name that must not be written to
        (file_change("here.link/x", None, "x"), "no such change"),
        (file_change("README.md/x", None, "x"), "no such change"),
    ],
)
def test_a_change_that_does_not_fit_or_leaves_the_folder_is_named(
    source: Source, folder: Path, file: FileChange, sentence: str
) -> None:
    outside = set(folder.parent.iterdir())
    with pytest.raises(JobError, match=sentence):
        make_changes(source, folder, change_set(file, base=source.base_sha))
    assert set(folder.parent.iterdir()) == outside


def test_a_change_of_another_commit_is_named(source: Source, folder: Path) -> None:
    with pytest.raises(JobError, match="was made for"):
        make_changes(source, folder, change_set(file_change("a", None, "x"), base="b" * 40))


def test_a_file_can_become_a_folder_and_a_folder_a_file(source: Source, folder: Path) -> None:
    change = change_set(
        file_change("run.sh", "#!/bin/sh\n", None),
        file_change("run.sh/main", None, "x"),
        file_change("src/Old.py", "x = 1\n", None),
        base=source.base_sha,
    )
    make_changes(source, folder, change)
    assert (folder / "run.sh" / "main").read_text() == "x"
