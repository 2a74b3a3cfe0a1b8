"""Which packages of a lock file have an archive of another name, by the tool that wrote it."""

from typing import Any, cast

import pytest

from pipelines.patch.lock_archives import Archives, disguises, sources

OURS = "https://registry.example"


def npm(package: str, **entry: Any) -> dict[str, Any]:
    return {"packages": {f"node_modules/{package}": entry}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (npm("a", resolved=f"{OURS}/a/-/a-1.tgz"), set()),
        (npm("a", resolved=f"{OURS}/b/-/b-1.tgz"), {("a", "/b")}),
        (npm("a", resolved=f"{OURS}/@b/a/-/a-1.tgz"), {("a", "/@b/a")}),
        (npm("a", resolved=f"{OURS}/a/b/-/b-1.tgz"), {("a", "/a/b")}),
        (npm("a", resolved="http://registry.example/b/-/b-1.tgz"), {("a", "/b")}),
        (npm("a", resolved=f"{OURS}/a/../b/-/b-1.tgz"), {("a", "/a/../b")}),
        (npm("@s/a", resolved=f"{OURS}/@s%2fa/-/a-1.tgz"), set()),
        (npm("a", resolved=f"{OURS}/download/a/1.0.0"), set()),
        (npm("a", resolved=f"{OURS}/download/b/v1.0.0"), {("a", "/download/b/")}),
        (npm("a", name="a"), set()),
        (npm("a", name="b"), {("a", "b")}),
        (npm("a", version="npm:a@1.0.0"), set()),
        (npm("a", version="npm:b@1.0.0"), {("a", "b")}),
        (npm("a", version="npm:@s/b@1.0.0"), {("a", "@s/b")}),
        (npm("a", version="1.0.0", resolved="file:../b"), set()),
        ({"dependencies": {"a": {"dependencies": {"c": {"version": "npm:d@1"}}}}}, {("c", "d")}),
        ({"packages": {"": {"name": "ours"}, "packages/shop": {"name": "shop"}}}, set()),
        ({"packages": {"node_modules/a": "not an entry"}}, set()),
        ([], set()),
    ],
)
def test_npm(document: object, expected: set[tuple[str, str]]) -> None:
    assert set(disguises(Archives.NPM, "", document)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a@^1:\n  resolved "https://registry.example/a/-/a-1.tgz#f"\n', set()),
        ('a@^1:\n  resolved "https://registry.example/b/-/b-1.tgz#f"\n', {("a", "/b")}),
        ('"a@^1", c@2:\r\n  resolved "https://registry.example/b/-/b-1.tgz"\r\n', {("a", "/b"), ("c", "/b")}),
        ('a@npm:b@^1:\n  resolved "https://registry.example/b/-/b-1.tgz"\n', set()),
        ('# a comment\na@1:\n\tresolved   "https://registry.example/b/-/b-1.tgz"\n', {("a", "/b")}),
        ('a@1:\n# a note\n  resolved "https://registry.example/b/-/b-1.tgz"\n', {("a", "/b")}),
        ('a@1:\r\n\r\n\n  resolved "https://registry.example/b/-/b-1.tgz"\r\n', {("a", "/b")}),
        ('"a@npm:^1":\n  version: 1\n  resolution: "a@npm:1.0.0"\n', set()),
        ('"a@npm:^1":\n  version: 1\n  resolution: "b@npm:1.0.0"\n', {("a", "b")}),
        ('"a@npm:^1":\n  comment: "b@npm:1.0.0"\n', set()),
    ],
)
def test_yarn(text: str, expected: set[tuple[str, str]]) -> None:
    assert set(disguises(Archives.YARN, text, None)) == expected


def pnpm(version: object, reference: str, *, specifier: str = "", **more: Any) -> list[Any]:
    held = {"specifier": specifier, "version": reference} if specifier else reference
    return [{"lockfileVersion": version, "importers": {".": {"dependencies": {"a": held}}}, **more}]


TARBALL = {"resolution": {"tarball": "b/-/b-1.tgz"}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (pnpm("6.0", "1.0.0"), set()),
        (pnpm("6.0", "/a@1.0.0"), set()),
        (pnpm("6.0", "link:../b"), set()),
        (pnpm("6.0", cast("str", 7)), set()),
        (pnpm("6.0", "/b@1.0.0"), {("a", "b")}),
        (pnpm("6.0", "/@s/b@1.0.0(c@2)"), {("a", "@s/b")}),
        (pnpm("5.4", "/b/1.0.0"), {("a", "b")}),
        (pnpm("5.4", "1.0.0_c@2.0.0"), set()),  # the peers of a version
        (pnpm("9.0", "b@1.0.0", specifier="npm:b@^1"), set()),  # openly asked for
        (pnpm("9.0", "b@1.0.0", specifier="npm:c@^1"), {("a", "b")}),
        (pnpm("9.0", "b@1.0.0", specifier="catalog:"), {("a", "b")}),
        (
            pnpm("9.0", "b@1.0.0", specifier="catalog:", catalogs={"default": {"a": {"specifier": "npm:b@^1"}}}),
            set(),
        ),
        (
            pnpm("9.0", "b@1.0.0", specifier="catalog: old", catalogs={"old": {"a": {"specifier": "npm:b@^1"}}}),
            set(),
        ),
        ([{"packages": {"a@1.0.0": TARBALL}}], {("a", "/b")}),
        ([{"packages": {"/b@1.0.0": TARBALL}}], set()),
        ([{"packages": {"a@1.0.0": {"resolution": {"tarball": f"{OURS}/b/-/b-1.tgz"}}}}], {("a", "/b")}),
        ("no documents", set()),
    ],
)
def test_pnpm(document: object, expected: set[tuple[str, str]]) -> None:
    assert set(disguises(Archives.PNPM, "", document)) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"name": "my_app", "wheels": [{"url": f"{OURS}/My.App-1.0-py3-none-any.whl"}]}, set()),
        ({"name": "a", "wheels": [{"url": f"{OURS}/b-1.0-py3-none-any.whl"}]}, {("a", "b")}),
        ({"name": "a", "sdist": {"url": f"{OURS}/b-1.0.tar.gz"}}, {("a", "b")}),
        ({"name": "a", "files": [{"url": f"{OURS}/b-1.0.zip"}]}, {("a", "b")}),
        ({"name": "a", "files": [{"file": "b-1.0.zip"}, "b-1.0.zip"]}, set()),
        ({"files": [{"url": f"{OURS}/b-1.0.zip"}]}, set()),
    ],
)
def test_python(entry: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    good = {"name": "c", "wheels": [{"url": f"{OURS}/c-1.0-py3-none-any.whl"}]}
    assert set(disguises(Archives.PYTHON, "", {"package": ["no entry", entry, good]})) == expected
    assert set(disguises(Archives.PYTHON, "", {"package": [{"x": 1}, good, entry]})) == expected


def test_an_unknown_tool_names_nothing() -> None:
    assert list(disguises(None, "a@1:\n  resolved https://x/b", {})) == []


def test_the_repositories_of_composer_are_named_for_both_kinds_of_archive() -> None:
    document = {
        "packages": [
            {
                "name": "acme/a",
                "dist": {"url": "https://api.github.com/repos/Acme/a/zipball/1"},
                "source": {"url": "https://git.example/acme/a.git"},
            },
            {"dist": {"url": "https://files.example/x"}},
            "no entry",
        ],
        "packages-dev": [{"name": "acme/b", "dist": {"url": 7}}],
    }
    assert set(sources(document, ("packages", "packages-dev"))) == {
        ("acme/a", "https://github.com/acme/a"),
        ("acme/a", "https://git.example"),
    }
    assert list(sources([], ("packages",))) == []
