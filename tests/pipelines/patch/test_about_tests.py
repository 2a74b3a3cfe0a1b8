"""Which files are about tests, and which test stands in which file."""

from __future__ import annotations

import pytest

from pipelines.patch.about_tests import changed_test_files, files_about_tests, is_about_tests, owns, stands_in
from tests.changes import change_set, file_change


@pytest.mark.parametrize(
    ("path", "it_is"),
    [
        ("tests/unit/test_store.py", True),
        ("test/helpers.js", True),
        ("src/app/form.test.tsx", True),
        ("src/__tests__/form.tsx", True),
        ("e2e/contacts.spec.ts", True),
        ("test/Contacts.Tests/StoreTests.cs", True),
        ("src/Contacts.Unit.Tests/Fakes.cs", True),
        ("store_test.go", True),
        ("conftest.py", True),
        ("tests/conftest.py", True),
        ("pytest.ini", True),
        (".coveragerc", True),
        ("sitecustomize.py", True),
        ("web/jest.config.mjs", True),
        ("playwright.config.ts", True),
        ("api.runsettings", True),
        ("src/contacts/store.py", False),
        ("src/contest.py", False),
        ("src/latest/page.tsx", False),
        ("pyproject.toml", False),
        ("package.json", False),
        ("src/Contacts/Contacts.csproj", False),
        ("README.md", False),
        ("test/Api.Tests/Api.Tests.csproj", False),
        ("e2e/package.json", False),
        ("e2e/package-lock.json", False),
        ("vite.config.ts", False),
    ],
)
def test_names_say_whether_a_file_is_about_tests(path: str, *, it_is: bool) -> None:
    assert is_about_tests(path) is it_is


@pytest.mark.parametrize(
    ("test", "path", "is_in_it"),
    [
        ("tests.unit.test_store::test_add", "tests/unit/test_store.py", True),
        ("tests.unit.test_store.TestAdd::test_it", "tests/unit/test_store.py", True),
        ("unit.test_store::test_add", "api/tests/unit/test_store.py", True),
        ("test_store.TestAdd::test_it", "tests/unit/test_store.py", True),
        ("tests.unit.test_store", "tests/unit/test_store.py", True),  # a module that could not be imported
        ("tests.other.test_store::test_add", "tests/unit/test_store.py", False),
        ("tests.unit.test_store_more::test_add", "tests/unit/test_store.py", False),
        ("tests.unit.test_store::test_add", "tests/unit/conftest.py", False),
        ("src/form.test.tsx::Form saves", "src/form.test.tsx", True),
        ("form.test.tsx::Form saves", "src/form.test.tsx", True),
        ("/builds/x/src/form.test.tsx::Form saves", "src/form.test.tsx", True),
        ("other.test.tsx::Form saves", "src/form.test.tsx", False),
        ("src/form.test.tsx::Form saves", "src/test.ts", False),
        ("Form::saves", "src/form.test.tsx", False),
        ("Contacts.Tests.StoreTests::Saves", "test/Contacts.Tests/StoreTests.cs", True),
        ("Contacts.Tests.StoreTests+Nested::Saves", "test/Contacts.Tests/StoreTests.cs", True),
        ("Contacts.Tests.SearchTests::Finds", "test/Contacts.Tests/StoreTests.cs", False),
    ],
)
def test_a_test_is_found_in_its_file_by_what_test_runners_write(test: str, path: str, *, is_in_it: bool) -> None:
    assert stands_in(test, [path]) is is_in_it


def test_files_that_a_change_edits_are_told_from_new_ones() -> None:
    change = change_set(
        file_change("conftest.py", "x", "y"),
        file_change("src/store.py", "x", "y"),
        file_change("tests/test_gone.py", "x", None),
        file_change("tests/test_new.py", None, "x"),
        file_change("tests/test_old.py", "x", "y"),
    )
    tests = ("tests/test_new.py", "tests/test_old.py")
    assert files_about_tests(change) == ("conftest.py", "tests/test_gone.py", *tests)
    assert changed_test_files(change, ["conftest.py", "src/store.py", *tests]) == tests


def test_only_files_in_which_a_runner_finds_tests_are_changed_files_of_tests() -> None:
    paths = ["src/Store.cs", "tests/helpers.py", "tests/test_list.py"]
    change = change_set(
        *(file_change(path, "x", "y") for path in paths), file_change("tests/__snapshots__/test_form.ambr", "x", None)
    )
    assert changed_test_files(change, [*paths, "tests/test_form.py"]) == ("tests/test_list.py",)


@pytest.mark.parametrize(
    ("test", "snapshot", "it_does"),
    [
        ("src/list.test.ts", "src/__snapshots__/list.test.ts.snap", True),
        ("tests/test_list.py", "tests/__snapshots__/test_list.ambr", True),
        ("tests/test_list.py", "tests/__snapshots__/test_list/test_empty.raw", True),
        ("e2e/list.spec.ts", "e2e/list.spec.ts-snapshots/empty.png", True),
        ("Api.Tests/ListTests.cs", "Api.Tests/ListTests.Renders.verified.txt", True),
        ("Api.Tests/ListTests.cs", "Api.Tests/ListTests.Renders.verified.cs", True),
        ("src/list.test.ts", "src/__snapshots__/listing.test.ts.snap", False),
        ("src/list.test.ts", "other/__snapshots__/list.test.ts.snap", False),
    ],
)
def test_a_snapshot_belongs_to_its_test_file(test: str, snapshot: str, *, it_does: bool) -> None:
    assert owns(test, snapshot) is it_does
    assert is_about_tests(snapshot)
    change = change_set(file_change(snapshot, "x", "y"))
    assert changed_test_files(change, [snapshot, test]) == ((test,) if it_does else (snapshot,))


def test_what_the_command_runs_comes_with_the_tests() -> None:
    commands = ("make test", "bash ./ci/unit.sh && python -m pytest tests")
    assert is_about_tests("ci/unit.sh", commands=commands)
    assert is_about_tests("Makefile", commands=())
    assert not is_about_tests("ci/unit.sh", commands=())
    assert not is_about_tests("ci/deploy.sh", commands=commands)
