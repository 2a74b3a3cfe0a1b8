"""Name the test files that a change can affect, from what refers to what. Runs no test and imports nothing.

A test depends on what it imports, on the conftest files whose fixtures it asks for, and on all that these depend on. A
string that names a module counts as an import (`python -m receiver` in a child process), and one that is part of a
data file's path counts as reading that file (`TEMPLATES / "notes"`): both err on the side of testing more. A file at
the root of the checkout, such as the lock, affects everything.

pytest-testmon would know by line what a test ran. It has to trace a whole run first, which costs two thirds more
processor time each time that it learns, and it sees neither child processes nor data files, of which most of our tests
are made.
"""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

CHECKOUT = Path(__file__).parents[1]
ROOTS = ("receiver", "pipelines", "sandbox", "migrations", "tests")
SAMPLES = ("sandbox/scenarios/", "sandbox/estate/")
"""Repositories that are data for us, also where they hold Python."""
DOCUMENTS = frozenset({"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".gitignore", ".dockerignore"})
"""Files at the root that can affect only tests which name them."""
STARTERS = frozenset({"-m", "python_module", "run_module"})
"""Words of files that start a module in a child process."""


PRODUCT = ("receiver/", "pipelines/", "sandbox/", "templates/", "migrations/")
UNREAD = ("docs/", "scripts/")
"""Files that the product itself does not read; only tests do."""
WHOLE = ("tests/acceptance/", "tests/pipelines/client/")
"""Tests of the product as a whole: whatever is changed in it affects them."""


class References(Struct, frozen=True, kw_only=True):
    """What a Python file refers to."""

    modules: frozenset[str]
    """Dotted names that may be modules."""
    words: frozenset[str]
    """Its strings, split at slashes."""
    arguments: frozenset[str]
    """Names of all parameters of its functions."""
    fixtures: frozenset[str]
    """Names of its fixtures."""


def module_name(path: str) -> str:
    """Return the dotted name of a Python file of the checkout."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def references(path: str, source: str) -> References:
    """Read what a file refers to."""
    modules, strings, names, arguments, fixtures = (set[str]() for _ in range(5))
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                modules.update(one.name for one in node.names)
            case ast.ImportFrom():
                package = PurePosixPath(path).parts[: -node.level] if node.level else ()
                base = ".".join([*package, *([node.module] if node.module else [])])
                modules.update((base, *(f"{base}.{one.name}" for one in node.names)))
            case ast.Constant(value=str() as text):
                strings.add(text)
            case ast.Name(id=name):
                names.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                arguments.update(one.arg for one in (*node.args.args, *node.args.kwonlyargs))
                if any("fixture" in ast.unparse(one) for one in node.decorator_list):
                    fixtures.add(node.name)
            case _:
                pass
    starts = not STARTERS.isdisjoint(strings | names)
    named = {text for text in strings if "." in text or (starts and text in ROOTS)}
    return References(
        modules=frozenset(modules | named | {f"{text}.__main__" for text in named}),
        words=frozenset(word for text in strings for word in text.split("/")),
        arguments=frozenset(arguments | strings),  # `usefixtures` and `getfixturevalue` take strings
        fixtures=frozenset(fixtures),
    )


class Tree:
    """The Python files of a checkout, and what depends on each."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Take the files' texts by their paths."""
        self._files = {path: references(path, source) for path, source in sources.items()}
        self._paths = {module_name(path): path for path in sources}
        self._dependents: defaultdict[str, set[str]] = defaultdict(set)
        for path in self._files:
            for needed in (*self._imported(path), *self._conftests(path)):
                self._dependents[needed].add(path)

    def tests(self) -> list[str]:
        """Return all test files."""
        found = (path for path in self._files if path.startswith("tests/"))
        return sorted(path for path in found if PurePosixPath(path).name.startswith("test_"))

    def affected(self, changed: Iterable[str]) -> list[str]:
        """Return the test files that a change of these files can affect."""
        changed = frozenset(changed)
        if any("/" not in path and path not in DOCUMENTS for path in changed):
            return self.tests()
        ahead = [path for path in self._files if path in changed or self._is_below(path, changed)]
        if any(path.startswith(PRODUCT) for path in changed):
            ahead.extend(path for path in self.tests() if path.startswith(WHOLE))
        for path in (path for path in changed if not path.endswith(".py") or path.startswith(SAMPLES)):
            *folders, name = PurePosixPath(path).parts
            parts = frozenset(folders) - set(ROOTS) | ({name} if "." in name or not folders else set())
            readers = self.tests() if path.startswith(UNREAD) else self._files
            ahead.extend(reader for reader in readers if parts & self._files[reader].words)
        reached: set[str] = set()
        while ahead:
            path = ahead.pop()
            if path not in reached:
                reached.add(path)
                ahead.extend(self._dependents[path])
        return [path for path in self.tests() if path in reached]

    def _imported(self, path: str) -> Iterator[str]:
        for name in self._files[path].modules:
            parts = name.split(".")
            for end in range(1, len(parts) + 1):  # to import a.b.c runs a and a.b first
                parent = self._paths.get(".".join(parts[:end]))
                if parent is not None:
                    yield parent

    def _conftests(self, path: str) -> Iterator[str]:
        """Return the conftest files above a test that have a fixture which it or a nearer conftest file asks for."""
        asked = self._files[path].arguments
        for folder in PurePosixPath(path).parents:
            conftest = f"{folder}/conftest.py"
            if conftest in self._files and not asked.isdisjoint(self._files[conftest].fixtures):
                asked |= self._files[conftest].arguments
                yield conftest

    @staticmethod
    def _is_below(path: str, changed: frozenset[str]) -> bool:
        """Whether a conftest file above this one was changed: it may do something to tests that ask for nothing."""
        return any(f"{folder}/conftest.py" in changed for folder in PurePosixPath(path).parents)


def python_files(checkout: Path) -> dict[str, str]:
    """Read the Python files of our packages and tests."""
    found = (file for root in ROOTS for file in (checkout / root).rglob("*.py"))
    paths = {file.relative_to(checkout).as_posix(): file for file in found}
    return {path: file.read_text(encoding="utf-8") for path, file in paths.items() if not path.startswith(SAMPLES)}


def changes(checkout: Path, since: str) -> list[str]:
    """Return the files that differ from where this branch left another, uncommitted and new ones included."""

    def git(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=checkout, check=True, stdout=subprocess.PIPE, text=True)
        return [one for one in done.stdout.split("\0") if one]

    base = git("merge-base", since, "HEAD")[0].strip()
    return [*git("diff", "--name-only", "--no-renames", "-z", base), *git("ls-files", "-oz", "--exclude-standard")]


if __name__ == "__main__":
    tests = Tree(python_files(CHECKOUT)).affected(changes(CHECKOUT, sys.argv[1]))
    sys.stdout.writelines(f"{test}\n" for test in tests)
