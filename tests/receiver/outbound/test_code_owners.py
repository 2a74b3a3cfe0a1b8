"""GitLab's rules of CODEOWNERS; the examples are those of its documentation, with other names."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.outbound.effects.code_owners import MAX_LINE, MAX_RULES, owners_of


def owners(text: str, *paths: str) -> list[str]:
    return list(owners_of(text, paths).names)


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
        ("/a[b].[c", ["ab.[c"], ["ab.c"]),
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
    assert owners("*.md @a\n[CodeOwners]\n/x.md @b\n", "x.md") == ["@b"]
    assert owners("[Docs]\n*.md @a\n[ Docs ]\n/x.md @b\n", "x.md") == ["@a", "@b"]


@pytest.mark.parametrize(
    "header",
    [
        "[API][two]",
        "^[API][?]",
        "[API]@nobody",
        "[API]: our interface",
        "[API]/v1/x.py @nobody",
        "[API][1][2] @nobody",
        "[]",
        "^[]",
        "[API]\t",
        "  [API]  ",
    ],
)
def test_a_line_that_begins_with_a_name_in_brackets_begins_a_section_whatever_follows(header: str) -> None:
    text = f"[Base] @base\n*.py\n{header}\n/src/ @api\n"
    assert owners(text, "src/a.py") == ["@base", "@api"]
    assert owners(text, "v1/x.py") == ["@base"]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("[API] @api lena@example.org", ["@api", "lena@example.org"]),
        ("[API][2]   @api @group/sub-group", ["@api", "@group/sub-group"]),
        ("[API] @api, @nobody", ["@api"]),
        ("[API] # @nobody", []),
        ("[API] reviewed by @api", ["@api"]),
    ],
)
def test_a_sections_own_owners_end_where_gitlab_reads_no_further(header: str, names: list[str]) -> None:
    assert owners(f"{header}\n*.py\n", "a.py") == names


@pytest.mark.parametrize("again", ["*.py", "/**/*.py"])
def test_a_pattern_given_twice_keeps_its_first_place_and_gets_the_last_owners(again: str) -> None:
    text = f"*.py @early\n/src/a.py @one\n{again} @late\n"
    assert owners(text, "src/a.py") == ["@one"]
    assert owners(text, "src/b.py") == ["@late"]
    assert owners(f"*.py @early\n/src/a.py @one\n[B]\n{again} @late\n", "src/a.py") == ["@one", "@late"]
    assert owners("lib/ @early\n/lib/a @one\nlib/**/* @late\n", "lib/a") == ["@one"]


@pytest.mark.parametrize("character", ["\u0085", "\u2028", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line(character: str) -> None:
    assert owners(f"*.py @mara{character}*.js @tomas\n", "x.js") == []
    assert owners("*.py @mara\r\n*.js @tomas\r\n", "x.js") == ["@tomas"]


def test_what_is_excluded_stays_so_in_its_section() -> None:
    text = "* @all\n!*.rb\n/special/*.rb @ruby\n[Ruby]\n*.rb @ruby-team\n"
    assert owners(text, "special/a.rb") == ["@ruby-team"]
    assert owners(text, "a.py") == ["@all"]


def test_who_owns_most_of_the_files_comes_first() -> None:
    assert owners("a.py @one\n[B]\n*.py @many\n", "a.py", "b.py", "c.py") == ["@many", "@one"]


def test_owners_are_names_roles_and_addresses_and_nothing_else() -> None:
    text = "* @user @group/sub @@maintainers jane@example.org plain /merge @ @@ # @kept\n"
    assert owners(text, "x") == ["@user", "@group/sub", "@@maintainers", "jane@example.org", "@kept"]


LONG = "a" * 120 + "/" + "a" * 120


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 900 + "b @x", LONG),
        ("*[a-z]" * 300 + "! @x", LONG),
        ("*?" * 900 + "b @x", LONG),
        ("**" * 900 + "b @x", LONG),
        ("**/" * 600 + "b @x", "a/" * 500 + "a"),
        ("**/*/" * 90 + "b @x", "a/" * 180 + "a"),
        ("**/a/" * 90 + "b @x", "a/" * 180 + "a"),
        ("*a*/**/" * 90 + "b @x", "a/" * 180 + "a"),
        ("[" * 1900 + " @x", LONG),
        ("[]" * 900 + "[ @x", LONG),
        ("[!" * 900 + "] @x", LONG),
        ("[^" + "a-z" * 600 + "] @x", "é"),
        ("\\" * 1900 + " @x", LONG),
        ("\\ " * 900 + " @x", LONG),
        ("^" + "[" * 1900, LONG),
        ("[a]" + "[" * 1900 + "]", LONG),
        ("(a+)+$|(a|a)*b @x", LONG),
        ("b " + ("a" * 254 + "@ ") * 7, LONG),
        ("b " + "@" * 1900, LONG),
    ],
)
def test_a_hostile_line_is_matched_without_going_back(line: str, path: str) -> None:
    """Each of these is over at once or, where a part of a pattern could be tried again and again, never."""
    assert len(line) <= MAX_LINE
    assert owners(f"{line}\n" * 20, path, path + "/c") == []


def calls(what: str, during: Callable[[], object]) -> int:
    """Return how often a function of a library's is called, whoever calls it."""
    counted = 0

    def count(frame: FrameType, event: str, called: object) -> None:
        nonlocal counted
        name = frame.f_code.co_name if event == "call" else getattr(called, "__name__", "")
        counted += event in {"call", "c_call"} and name == what

    sys.setprofile(count)
    try:
        during()
    finally:
        sys.setprofile(None)
    return counted


def test_a_pattern_is_compiled_once_however_many_files_there_are() -> None:
    text = "".join(f"*{number}.py @x\n" for number in range(400))
    paths = [f"src/{number}.ts" for number in range(30)]
    assert calls("compile", lambda: owners(text, *paths)) <= 3 * 400  # `re.compile`, and its own


def test_folders_for_any_number_of_folders_are_one() -> None:
    path = "a/" * 40 + "a"
    assert calls("fits", lambda: owners("**/" * 600 + "b @x", path)) <= 2 * 41


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("* @a\n", ["@a"], ""),
        (f"* @a\n/{'x' * MAX_LINE} @b\n", ["@a"], "1 line skipped, of more than 2,000 characters"),
        (f"* @a\n{'# x' * MAX_LINE}\n* @b\n{'x' * MAX_LINE} @c\n", ["@b"], "2 lines skipped"),
        ("* @a\n" + "#\n" * MAX_RULES + "* @b\n", ["@a"], "2 lines skipped"),
    ],
)
def test_lines_that_are_not_read_are_told(text: str, names: list[str], said: str) -> None:
    found = owners_of(text, ["x"])
    assert list(found.names) == names
    assert said in found.remark
    assert bool(found.remark) == bool(said)


@given(st.text(alphabet=st.sampled_from(list("*/[]^!#@\\ ab.\n\t\x00é")), max_size=60))
def test_no_file_whatever_fails(text: str) -> None:
    assert isinstance(owners(text, "a/b.a", "é"), list)
