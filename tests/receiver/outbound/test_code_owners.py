"""GitLab's rules of CODEOWNERS; the examples are those of its documentation, with other names."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.outbound.code_owners import owners_of


def owners(text: str, *paths: str) -> list[str]:
    return list(owners_of(text, paths))


@pytest.mark.parametrize(
    ("pattern", "owned", "others"),
    [
        ("*", ["a", "x/y/.z"], []),
        ("/README.md", ["README.md"], ["docs/README.md"]),
        ("README.md", ["README.md", "a/b/README.md"], ["README.md/x", "xREADME.md"]),
        ("internal/README.md", ["internal/README.md", "docs/internal/README.md"], ["README.md"]),
        ("/docs/", ["docs/a", "docs/a/b.md"], ["a/docs/b", "docs"]),
        ("lib/", ["lib/a", "x/lib/y/z"], ["library/a"]),
        ("/docs/*.md", ["docs/a.md"], ["docs/a/b.md", "docs/a.txt"]),
        ("/docs/*/README.md", ["docs/api/README.md"], ["docs/README.md", "docs/a/b/README.md"]),
        ("/docs/**/index.md", ["docs/index.md", "docs/a/index.md", "docs/a/b/index.md"], ["index.md"]),
        ("/docs/*spec*", ["docs/qa_specs.rb", "docs/runtime.spec"], ["docs/a/spec"]),
        (r"path\ with\ spaces/", ["path with spaces/a"], ["path/a"]),
        (r"\#hash.rb", ["#hash.rb", "a/#hash.rb"], ["hash.rb"]),
        ("/a[0-9].py", ["a1.py"], ["ab.py"]),
        ("/a[^0-9].py", ["ab.py"], ["a1.py"]),
        (r"/a\*.py", ["a*.py"], ["ab.py"]),
        ("/docs", ["docs"], ["docs/a"]),
    ],
)
def test_a_pattern_matches_as_in_gitlab(pattern: str, owned: list[str], others: list[str]) -> None:
    for path in owned:
        assert owners(f"{pattern} @mara", path) == ["@mara"], path
    for path in others:
        assert owners(f"{pattern} @mara", path) == [], path


def test_the_last_match_counts() -> None:
    text = "* @all\n*.py @python\n/src/ @source @more\n# *.py @nobody\n"
    assert owners(text, "a.txt") == ["@all"]
    assert owners(text, "a.py") == ["@python"]
    assert owners(text, "src/a.py") == ["@source", "@more"]


def test_a_pattern_without_owners_takes_them_away() -> None:
    assert owners("* @all\n*.md\n", "a.md") == []


def test_each_section_has_its_own_last_match() -> None:
    text = """
    * @admin
    [README Owners]
    README.md @user1 @user2
    internal/README.md @user4
    [README other owners]
    README.md @user3
    """
    assert owners(text, "README.md") == ["@admin", "@user1", "@user2", "@user3"]
    assert owners(text, "internal/README.md") == ["@admin", "@user4", "@user3"]


def test_a_section_has_default_owners_approvals_and_may_be_optional() -> None:
    text = """
    [Documentation][2] @docs-team
    docs/
    README.md @mara
    ^[Database] @database-team lena@example.org
    model/db/
    """
    assert owners(text, "docs/a.md") == ["@docs-team"]
    assert owners(text, "README.md") == ["@mara"]
    assert owners(text, "model/db/x") == ["@database-team", "lena@example.org"]


def test_sections_of_one_name_are_one_whatever_its_case() -> None:
    assert owners("[Docs]\n*.md @a\n[DOCS]\n/x.md @b\n", "x.md") == ["@b"]


def test_what_is_excluded_stays_so_in_its_section() -> None:
    text = "* @all\n!*.rb\n/special/*.rb @ruby\n[Ruby]\n*.rb @ruby-team\n"
    assert owners(text, "special/a.rb") == ["@ruby-team"]
    assert owners(text, "a.py") == ["@all"]


def test_who_owns_most_of_the_files_comes_first() -> None:
    assert owners("a.py @one\n[B]\n*.py @many\n", "a.py", "b.py", "c.py") == ["@many", "@one"]


def test_owners_are_names_roles_and_addresses_and_nothing_else() -> None:
    text = "* @user @group/sub @@maintainers jane@example.org plain /merge @ @@ # @kept\n"
    assert owners(text, "x") == ["@user", "@group/sub", "@@maintainers", "jane@example.org", "@kept"]


def test_a_hostile_pattern_takes_no_time() -> None:
    path = "a" * 200 + "/" + "a" * 200
    began = time.monotonic()
    assert owners(f"{'*a' * 100}b @x\n{'**/' * 200}b @x\n" * 20, path) == []
    assert time.monotonic() - began < 2


@given(st.text(alphabet=st.sampled_from(list("*/[]^!#@\\ ab.\n\t\x00é")), max_size=60))
def test_no_file_whatever_fails(text: str) -> None:
    assert isinstance(owners(text, "a/b.a", "é"), list)
