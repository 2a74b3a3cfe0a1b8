"""What counts as the same place: versions, branches and archives go; servers, owners and repositories stay."""

import pytest

from pipelines.patch.origin_names import host, place


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("python:3.11", "python"),
        (" Python:3.11\n", "python"),
        ("python@sha256:ab", "python"),
        ("npm:react@18", "react"),
        ("../shop", "../shop"),
        ("./a@b", "./a@b"),
        ("https://Git.example/acme/Web.git@v1", "https://git.example/acme/web"),
        ("https://git.example/acme/web.git#main", "https://git.example/acme/web"),
        ("https://git.example/acme/web?x=1", "https://git.example/acme/web"),
        ("https://git.example/acme/v1.2.3/web", "https://git.example/acme/web"),
        ("https://files.example/a/a-1.0.tgz", "https://files.example/a"),
        ("https://files.example/a/", "https://files.example/a"),
        ("http://localhost:8080/a", ""),
        ("//127.0.0.1/a", ""),
    ],
)
def test_a_place_has_no_version(found: str, expected: str) -> None:
    assert place(found) == expected


@pytest.mark.parametrize("server", ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "codeload.github.com"])
def test_at_a_server_where_anybody_may_offer_something_the_repository_counts(server: str) -> None:
    assert host(f"https://{server}/Acme/Web.git#main") == f"https://{server}/acme/web"
    assert host(f"https://{server}/acme/web/archive/v1.tgz") == f"https://{server}/acme/web"
    assert host(f"https://{server}/acme/web", by_host=True) == f"https://{server}"


@pytest.mark.parametrize("server", ["raw.githubusercontent.com", "gist.github.com"])
def test_so_does_it_where_single_files_are_served(server: str) -> None:
    assert host(f"https://{server}/acme/a/main/x.txt") == f"https://{server}/acme/a"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (" https://Files.Example/a/b/c.tgz ", "https://files.example"),
        ("git+https://git.example/acme/web.git@v1", "https://git.example/acme/web"),
        ("ssh://git@git.example/acme/web/more", "ssh://git.example/acme/web"),
        ("git://git.example/acme/web", "git://git.example/acme/web"),
        ("git@Git.example:acme/Web.git", "ssh://git.example/acme/web"),
        ("a@git.example:acme/web#v1", "ssh://git.example/acme/web"),
        ("react@https://files.example/r.tgz", "https://files.example"),
        ("https://files.example\\@evil.example/a?b", "https://files.example\\@evil.example/a"),
        ("https:///a?b", "https:///a"),
        ("http://[::1", "http://[::1"),
        ("npm:react@18", ""),
        ("file:../shop", ""),
        ("^1.2.3", ""),
        *((f"shop@{word}:packages/shop", "") for word in ("workspace", "link", "file", "portal", "root", "npm")),
        *((f"shop@{word}:x", "") for word in ("patch", "catalog")),
    ],
)
def test_a_host_is_named_with_its_scheme_and_of_git_with_its_repository(found: str, expected: str) -> None:
    assert host(found) == expected
