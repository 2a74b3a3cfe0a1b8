"""`scripts/test --changed`: what a change can affect is tested, and little else."""

import subprocess
from pathlib import Path

import pytest

from tests.selection import CHECKOUT, Tree, changes, python_files

SOURCES = {
    "receiver/__init__.py": "",
    "receiver/notes/__init__.py": "from receiver.notes.render import render",
    "receiver/notes/render.py": "from ..words import WORDS\nTEMPLATES = ROOT / 'templates' / 'notes'",
    "receiver/words.py": "WORDS = {}",
    "receiver/__main__.py": "import receiver.app",
    "receiver/app.py": "",
    "tests/conftest.py": "from receiver.words import WORDS\n@pytest.fixture\ndef words(): ...",
    "tests/acceptance/test_demo.py": "",
    "tests/docs/test_pages.py": "PAGE = CHECKOUT / 'docs' / 'words.md'",
    "tests/receiver/conftest.py": "@pytest.fixture(scope='session')\ndef spoken(words): ...",
    "tests/receiver/test_app.py": "command = [sys.executable, '-m', 'receiver', 'serve']",
    "tests/receiver/test_notes.py": "from receiver.notes import render",
    "tests/receiver/test_spoken.py": "def test_it(spoken): ...",
    "tests/receiver/test_plain.py": "NAME = 'receiver'",
}


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("receiver/words.py", {"acceptance/test_demo", "receiver/test_notes", "receiver/test_spoken"}),
        ("receiver/notes/__init__.py", {"acceptance/test_demo", "receiver/test_notes"}),
        ("receiver/app.py", {"acceptance/test_demo", "receiver/test_app"}),
        ("receiver/removed.py", {"acceptance/test_demo"}),
        ("templates/notes/status.j2", {"acceptance/test_demo", "receiver/test_notes"}),
        ("docs/words.md", {"docs/test_pages"}),
        ("tests/receiver/test_plain.py", {"receiver/test_plain"}),
        (
            "tests/receiver/conftest.py",
            {"receiver/test_app", "receiver/test_notes", "receiver/test_spoken", "receiver/test_plain"},
        ),
        ("README.md", set()),
    ],
)
def test_a_change_affects_the_tests_that_can_reach_it(changed: str, tests: set[str]) -> None:
    assert set(Tree(SOURCES).affected([changed])) == {f"tests/{test}.py" for test in tests}


def test_a_file_at_the_root_affects_every_test() -> None:
    tree = Tree(SOURCES)
    assert tree.affected(["requirements.lock"]) == tree.tests()


def test_no_test_of_this_checkout_is_overlooked_when_the_fixtures_of_all_change() -> None:
    tree = Tree(python_files(CHECKOUT))
    assert tree.affected(["tests/conftest.py"]) == tree.tests()


def test_changes_are_what_was_committed_since_the_branch_began_what_was_not_and_what_is_new(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        named = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *named, *arguments], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)

    git("init", "--quiet", "--initial-branch=main")
    for name in ("kept", "committed", "edited", "deleted"):
        (tmp_path / name).write_text("before")
    git("add", ".")
    git("commit", "--quiet", "--message=Base")
    git("checkout", "--quiet", "-b", "topic")
    (tmp_path / "committed").write_text("after")
    git("commit", "--quiet", "--all", "--message=Change")
    (tmp_path / "edited").write_text("after")
    (tmp_path / "deleted").unlink()
    (tmp_path / "new ü").write_text("new")
    assert sorted(changes(tmp_path, "main")) == ["committed", "deleted", "edited", "new ü"]
