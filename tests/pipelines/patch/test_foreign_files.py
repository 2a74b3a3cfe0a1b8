"""Which files are somebody else's or a tool's: folders that are ordinary words count only where a tool makes them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pipelines.language.policy import Policy
from pipelines.patch.examine import examine
from pipelines.patch.foreign_files import foreign_files
from pipelines.patch.git_attributes import attributes
from tests.changes import change_set, file_change

VENDORED, GENERATED = "somebody else's code", "is generated"


def refused(
    path: str, beside: Mapping[str, str] | None = None, *, before: str = "one\n", handwritten: tuple[str, ...] = ()
) -> str:
    base = {name: text.encode() for name, text in {**(beside or {}), path: before}.items()}
    change = change_set(file_change(path, before.encode(), b"two\n"))
    found = examine(
        change,
        base.get,
        allowed=("**",),
        handwritten=handwritten,
        policy=Policy(),
        secrets=lambda _: (),
        folders=lambda _: (),
    )
    return " ".join(found)


@pytest.mark.parametrize(
    "path",
    [
        "src/Procurement/Vendor/VendorRating.cs",
        "services/vendor/onboarding.py",
        "src/vendor/[id]/page.tsx",
        "Claims/Coverage/Deductible.cs",
        "coverage/rules.py",
        "api/src/coverage/limits.ts",
        "src/dist/routes.py",
        "logistics/Dist/Planner.cs",
        "src/obj/parser.go",
        "src/third_party/loans.py",
        "lab/test-results/report.tsx",
        "src/Obj/Object.cs",
    ],
)
def test_a_source_file_below_an_ordinary_word_may_be_fixed(path: str) -> None:
    assert refused(path) == ""


CSPROJ = '<Project Sdk="Microsoft.NET.Sdk" />'


@pytest.mark.parametrize(
    ("path", "manifest", "content", "sentence"),
    [
        ("vendor/lib/x.py", "README.md", "#", VENDORED),
        ("third_party/zlib/a.c", "README.md", "#", VENDORED),
        ("dist/app.js", "README.md", "#", GENERATED),
        ("obj/project.assets.json", "README.md", "#", GENERATED),
        ("services/pay/vendor/example.com/x/y.go", "services/pay/go.mod", "module pay\n", VENDORED),
        ("shop/vendor/acme/lib/A.php", "shop/composer.json", "{}", VENDORED),
        ("packages/web/dist/app.js", "packages/web/package.json", "{}", GENERATED),
        ("tool/dist/tool.py", "tool/pyproject.toml", "[project]\n", GENERATED),
        ("src/Api/obj/Debug/A.cs", "src/Api/Api.csproj", CSPROJ, GENERATED),
        ("web/coverage/lcov.info", "web/package.json", "{}", GENERATED),
    ],
)
def test_where_a_tool_makes_such_a_folder_it_is_the_tools(
    path: str, manifest: str, content: str, sentence: str
) -> None:
    assert sentence in refused(path, {manifest: content})


EACH = [
    *((f"pay/{name}/a.go", VENDORED, "pay/go.mod", "module pay\n") for name in ("vendor", "vendored")),
    *((f"pay/{name}/a.go", VENDORED, "pay/go.mod", "module pay\n") for name in ("third_party", "third-party")),
    ("pay/vendor/a.rs", VENDORED, "pay/Cargo.toml", "[package]\n"),
    ("pay/vendor/a.php", VENDORED, "pay/composer.json", "{}"),
    ("pay/vendor/a.rb", VENDORED, "pay/Gemfile", "gem 'a'\n"),
    ("web/dist/a.js", GENERATED, "web/package.json", "{}"),
    ("pay/dist/a.py", GENERATED, "pay/pyproject.toml", "[project]\n"),
    ("pay/dist/a.py", GENERATED, "pay/setup.py", "from setuptools import setup\n"),
    *((f"Api/obj/a.{kind}", GENERATED, f"Api/Api.{kind}proj", CSPROJ) for kind in ("cs", "fs", "vb")),
    ("web/test-results/a.ts", GENERATED, "web/package.json", "{}"),
    ("web/coverage/a.js", GENERATED, "web/package.json", "{}"),
]


@pytest.mark.parametrize(("path", "sentence", "manifest", "content"), EACH)
def test_each_folder_that_a_tool_makes_is_known_beside_each_of_its_manifests(
    path: str, sentence: str, manifest: str, content: str
) -> None:
    assert sentence in refused(path, {manifest: content})
    assert refused(path, {}) == ""


@pytest.mark.parametrize(
    ("path", "manifest", "content"),
    [
        ("src/Claims/Coverage/Deductible.cs", "src/Claims/Claims.csproj", CSPROJ),
        ("src/Api/vendor/Rating.cs", "src/Api/Api.csproj", CSPROJ),
        ("pay/vendor/rating.py", "pay/pyproject.toml", "[project]\n"),
        ("shop/obj/loader.ts", "shop/package.json", "{}"),
        ("services/pay/vendor/rating.go", "services/pay/go.mod", "nothing"),
    ],
)
def test_a_manifest_of_another_tool_makes_it_nobody_elses(path: str, manifest: str, content: str) -> None:
    assert refused(path, {manifest: content}) == ""


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("web/node_modules/next/index.js", VENDORED),
        ("lib/site-packages/a.py", VENDORED),
        ("src/api_pb2.py", GENERATED),
        ("Forms/Main.Designer.cs", GENERATED),
        ("public/app.min.js", GENERATED),
        ("web/.next/server.js", GENERATED),
    ],
)
def test_names_that_no_business_uses_are_refused_anywhere(path: str, sentence: str) -> None:
    assert sentence in refused(path)


GENERATED_TEXT = "// Code generated by openapi-gen. DO NOT EDIT.\nexport const a = 1;\n"


def test_a_file_that_says_that_it_is_generated_is_believed() -> None:
    assert GENERATED in refused("src/client.ts", before=GENERATED_TEXT)


@pytest.mark.parametrize(
    ("path", "marks", "sentence"),
    [
        ("src/api/client.ts", "src/api/** linguist-generated", GENERATED),
        ("src/api/client.ts", "*.ts gitlab-generated=true", GENERATED),
        ("src/theirs/a.c", "/src/theirs/** linguist-vendored text", VENDORED),
        ("src/api/client.ts", "src/api/** linguist-generated\nclient.ts -linguist-generated", ""),
        ("src/a.ts", "# *.ts linguist-generated", ""),
        ("src/a.ts", '"*.c linguist-vendored\n*.ts linguist-generated', GENERATED),
        ("vendor/ours/a.go", "vendor/ours/** linguist-vendored=false", ""),
        ("vendor/theirs/a.go", "vendor/ours/** -linguist-vendored", VENDORED),
        ("dist/index.ts", "dist/** -linguist-generated", ""),
        ("src/my gen/a.ts", '"src/my gen/*" linguist-generated', GENERATED),
    ],
)
def test_what_the_repository_marks_decides_before_names_do(path: str, marks: str, sentence: str) -> None:
    found = refused(path, {".gitattributes": marks})
    assert sentence in found if sentence else found == ""


def test_a_mark_beside_the_file_decides_before_one_above() -> None:
    marks = {
        ".gitattributes": "vendor/** linguist-vendored",
        "vendor/.gitattributes": "theirs/our/*.go -linguist-vendored",
        "vendor/ours/.gitattributes": "*.go -linguist-vendored",
    }
    assert refused("vendor/ours/a.go", marks) == ""
    assert refused("vendor/theirs/our/a.go", marks) == ""
    assert VENDORED in refused("vendor/theirs/a.go", marks)


@pytest.mark.parametrize("path", ["vendor/pay/a.go", "dist/index.ts", "node_modules/ours/a.js", "src/client.ts"])
def test_the_catalogue_lets_pass_what_people_write(path: str) -> None:
    before = GENERATED_TEXT if path == "src/client.ts" else "one\n"
    assert "paths_handwritten" in refused(path, before=before)
    assert refused(path, before=before, handwritten=(path,)) == ""
    assert refused(path, before=before, handwritten=("other/**",)) != ""


@pytest.mark.parametrize(
    "line", ["*.ts", "", '"*.ts linguist-generated', "[attr]x linguist-generated", "*.ts linguist-generated=maybe"]
)
def test_a_line_that_switches_nothing_says_nothing(line: str) -> None:
    assert attributes("a.ts", {".gitattributes": line.encode()}.get, nested=False) == {}


def test_nothing_is_said_of_nothing() -> None:
    assert list(foreign_files((), lambda _: None, handwritten=())) == []
