"""Where each kind of package file says from where something is fetched: a table of rows. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

ADDRESS: Final = r"(?:[a-z][a-z0-9+.-]{0,30}:)?//[^\s'\"<>,;)\]}|]+|\b[\w.-]{1,100}@[\w.-]{1,100}:[^\s'\"<>,;)\]}]+"
"""A URL, one without a scheme, or git's `user@host:path`."""


class Grammar(StrEnum):
    """How a file is read."""

    LINES = "lines"
    TOML = "toml"
    JSON = "json"


class OriginRow(Struct, frozen=True, kw_only=True):
    """Package files that name origins alike."""

    names: tuple[str, ...]
    """Of files, globs in lower case, in any folder."""
    grammar: Grammar = Grammar.LINES
    tables: tuple[str, ...] = ()
    """For TOML and JSON: where origins stand, keys with dots between; each text below counts."""
    direct: tuple[str, ...] = ()
    """Patterns whose group is an origin that somebody wrote down: an index, an archive, a repository, an image."""
    resolved: tuple[str, ...] = ()
    """Patterns whose group is an address that a tool wrote down; of these, hosts are compared."""
    is_unusual: bool = False
    """An address stands there only where it is not the usual one, so the first is new too."""
    archives: tuple[str, ...] = ()
    """Patterns whose two groups are a package's name and the address of its archive, which has to hold that name."""
    packages: tuple[str, ...] = ()
    """Patterns whose group is the name of a package that is asked for."""
    keys: tuple[str, ...] = ()
    """For TOML and JSON: tables whose keys are such names."""
    builders: tuple[str, ...] = ()
    """For TOML: values that name a program which builds the package."""
    comment: str = r"(?:^|\s)#.*"
    """What is left out of each line; empty: nothing."""


_DEPENDENCIES: Final = (
    *("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "overrides", "resolutions"),
    "pnpm",
)
_SHORTHAND: Final = r"^((?:npm|github|gitlab|bitbucket|gist|file|link|portal|patch|exec):\S+|[\w.-]+/[\w.-]+(?:#\S*)?)$"
_PEP_508: Final = r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:$|[<>=!~;@ ,(])"
_IMAGE: Final = r"\bimage:\s*[\"']?([^\s\"',}]+)"

_NPM_ARCHIVE: Final = (
    r'"(?:[^"\s]{0,300}/)?node_modules/((?:@[^/"\s]{1,100}/)?[^/"\s]{1,200})":\s*\{\s*'
    r'"version":\s*"[^"]{0,200}",\s*"resolved":\s*"(https?:[^"]+)"'
)

ROWS: Final = (
    OriginRow(
        names=(
            "*requirements*.txt",
            "*requirements*.in",
            "requirements/*.txt",
            "requirements/*.in",
            "*constraints*.txt",
        ),
        direct=(f"({ADDRESS})", r"--trusted-host[=\s]+(\S+)"),
        packages=(_PEP_508,),
    ),
    OriginRow(
        names=("pyproject.toml",),
        grammar=Grammar.TOML,
        tables=(
            *("project.dependencies", "project.optional-dependencies", "dependency-groups", "build-system"),
            *("tool.uv", "tool.poetry.source", "tool.poetry.dependencies", "tool.poetry.dev-dependencies"),
            *("tool.poetry.group", "tool.pdm.source", "tool.pdm.dev-dependencies", "tool.hatch.envs", "tool.pixi"),
        ),
        direct=(f"({ADDRESS})",),
        packages=(_PEP_508,),
        keys=("tool.poetry.dependencies",),
        builders=("build-system.build-backend", "build-system.backend-path"),
    ),
    OriginRow(names=("setup.cfg", "setup.py"), direct=(rf"@\s*({ADDRESS})", rf"dependency_links\W+({ADDRESS})")),
    OriginRow(
        names=("pipfile",),
        grammar=Grammar.TOML,
        tables=("source", "packages", "dev-packages"),
        direct=(f"({ADDRESS})",),
        keys=("packages", "dev-packages"),
    ),
    OriginRow(
        names=("cargo.toml",),
        grammar=Grammar.TOML,
        tables=(
            *("dependencies", "dev-dependencies", "build-dependencies", "target", "patch", "replace", "source"),
            "workspace.dependencies",
        ),
        direct=(f"({ADDRESS})",),
        keys=("dependencies", "dev-dependencies", "build-dependencies", "workspace.dependencies"),
    ),
    OriginRow(
        names=("package.json",),
        grammar=Grammar.JSON,
        tables=_DEPENDENCIES,
        direct=(f"({ADDRESS})", _SHORTHAND),
        keys=_DEPENDENCIES[:4],
    ),
    OriginRow(
        names=("composer.json",),
        grammar=Grammar.JSON,
        tables=("repositories",),
        direct=(f"({ADDRESS})",),
        keys=("require", "require-dev"),
    ),
    OriginRow(
        names=("deno.json", "import_map.json", "jsr.json"),
        grammar=Grammar.JSON,
        tables=("imports", "scopes"),
        direct=(f"({ADDRESS})", r"^((?:npm|jsr):\S+)$"),
    ),
    OriginRow(
        names=("package-lock.json", "npm-shrinkwrap.json"),
        resolved=(r'"resolved":\s*"([^"]+)"',),
        archives=(_NPM_ARCHIVE,),
        comment="",
    ),
    OriginRow(
        names=("yarn.lock",),
        resolved=(r'^\s+resolved\s+"([^"]+)"', r'resolution:\s*"@?[^"@]{1,200}@((?:https?|git|ssh)[^"]*)'),
    ),
    OriginRow(
        names=("pnpm-lock.yaml",),
        is_unusual=True,
        resolved=(r"(?:tarball|registry|repo):\s*['\"]?([^\s,}'\"]+)",),
        comment="",
    ),
    OriginRow(names=("bun.lock",), is_unusual=True, resolved=(f"({ADDRESS})",), comment=""),
    OriginRow(names=("uv.lock",), resolved=(r'\b(?:registry|git|url)\s*=\s*"([^"]+)"',)),
    OriginRow(names=("pdm.lock",), is_unusual=True, resolved=(r'\b(?:git|url)\s*=\s*"([^"]+)"',)),
    OriginRow(names=("poetry.lock",), is_unusual=True, resolved=(r'^url\s*=\s*"([^"]+)"',)),
    OriginRow(names=("pipfile.lock",), resolved=(r'"(?:url|git|file)":\s*"([^"]+)"',), comment=""),
    OriginRow(names=("cargo.lock",), resolved=(r'^source\s*=\s*"([^"]+)"',)),
    OriginRow(names=("gemfile.lock",), resolved=(r"^\s+remote:\s*(\S+)",)),
    OriginRow(
        names=("composer.lock",), resolved=(r'"type":\s*"(?:git|zip|tar|path)",\s*"url":\s*"([^"]+)"',), comment=""
    ),
    OriginRow(
        names=("gemfile",),
        direct=(f"({ADDRESS})", r"\b(?:github|gist|bitbucket|gitlab):\s*[\"']([^\"']+)"),
        packages=(r"^\s*gem\s+[\"']([^\"']+)",),
    ),
    OriginRow(
        names=("go.mod", "go.work"),
        direct=(r"=>\s*(\S+)",),
        packages=(r"^\s*(?:require\s+)?([\w-]+(?:\.[\w-]+)+(?:/\S+)?)\s+v\d",),
        comment=r"//.*",
    ),
    OriginRow(
        names=("*.csproj", "*.fsproj", "*.vbproj", "*.props", "*.targets"),
        direct=(r"<Restore(?:Sources|AdditionalProjectSources|ConfigFile|FallbackFolders)>\s*([^<]+)",),
        packages=(r"<PackageReference\s[^<>]{0,500}?\bInclude\s*=\s*[\"']([^\"']+)",),
        comment="",
    ),
    OriginRow(
        names=("pom.xml",),
        direct=(
            r"<(?:r|pluginR|snapshotR)epository>(?:(?!<url>)[\s\S]){0,600}<url>\s*([^<\s]+)",
            r"<systemPath>([^<]+)",
        ),
        packages=(r"<dependency>(?:(?!<artifactId>)[\s\S]){0,600}<artifactId>\s*([^<\s]+)",),
        comment="",
    ),
    OriginRow(names=("*.gradle", "*.gradle.kts"), direct=(f"({ADDRESS})",), comment=r"^\s*(?://|\*).*"),
    OriginRow(
        names=("dockerfile*", "*.dockerfile", "containerfile*"),
        direct=(
            *(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", r"^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*--from=(\S+)", f"({ADDRESS})"),
            r"^#\s*syntax\s*=\s*(\S+)",
        ),
        comment=r"^\s*(?:#(?!\s*syntax\b)|HEALTHCHECK\b|LABEL\b|MAINTAINER\b).*",
    ),
    OriginRow(
        names=("docker-compose*.y*ml", "compose*.y*ml", "devspace.y*ml", "skaffold.y*ml"),
        direct=(_IMAGE, rf"\b(?:context|build|url|path):\s*[\"']?({ADDRESS})"),
    ),
    OriginRow(
        names=("deploy/**.y*ml", "deployment/**.y*ml", "helm/**.y*ml", "charts/**.y*ml", "k8s/**.y*ml", "values*.y*ml"),
        direct=(_IMAGE, r"\brepository:\s*[\"']?([^\s\"',}]+)", r"\bregistry:\s*[\"']?([^\s\"',}]+)"),
    ),
    OriginRow(names=("chart.y*ml", "requirements.y*ml"), direct=(r"\brepository:\s*[\"']?([^\s\"',}]+)",)),
    OriginRow(names=("*.tf",), direct=(r"\bsource\s*=\s*\"([^\"]+)\"",)),
    OriginRow(names=("environment.y*ml", "podfile", "package.swift"), direct=(f"({ADDRESS})",)),
    OriginRow(names=("pubspec.y*ml",), direct=(rf"\b(?:url|git|hosted):\s*[\"']?({ADDRESS})",)),
    OriginRow(names=("mix.exs",), direct=(r"\b(?:git|github|url|repo):\s*\"([^\"]+)\"",)),
)
