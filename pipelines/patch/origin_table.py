"""Where each kind of package file says from where something is fetched: a table of rows. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pipelines.patch.documents import Grammar
from pipelines.patch.lock_archives import Archives
from pipelines.patch.origin_names import ADDRESS, ADDRESS_IN_CODE, ESCAPED


class OriginRow(Struct, frozen=True, kw_only=True):
    """Package files that name origins alike."""

    names: tuple[str, ...]
    """Of files, globs in lower case, in any folder."""
    grammar: Grammar = Grammar.LINES
    tables: tuple[str, ...] = ()
    """For documents: where origins stand, keys with dots between; each text below counts; empty: everywhere."""
    addresses: tuple[str, ...] = ()
    """For documents: keys, wherever they stand, whose text is an address that a tool wrote down; `a.*`: all below."""
    direct: tuple[str, ...] = ()
    """Patterns whose group is an origin that somebody wrote down: an index, an archive, a repository, an image."""
    resolved: tuple[str, ...] = ()
    """Patterns whose group is an address that a tool wrote down; of these, hosts are compared."""
    is_unusual: bool = False
    """An address stands there only where it is not the usual one, so the first is new too."""
    archives: Archives | None = None
    """How the archives of packages are found, which have to hold the packages' names."""
    sources: tuple[str, ...] = ()
    """Lists of packages of which each keeps its repository."""
    is_by_host: bool = False
    """All packages come from repositories of anybody, so that of a new one only the host is compared."""
    files: tuple[str, ...] = ()
    """Patterns whose group is another file of packages that is taken in."""
    packages: tuple[str, ...] = ()
    """Patterns whose group is the name of a package that is asked for."""
    keys: tuple[str, ...] = ()
    """For documents: tables whose keys are such names."""
    renamed: tuple[str, ...] = ()
    """For documents: keys in `tables` whose text is the name of another package, which counts as an origin."""
    builders: tuple[str, ...] = ()
    """For TOML: values that name a program which builds the package."""
    is_continued: bool = False
    """A line that ends with a backslash goes on in the next one."""
    comment: str = r"(?:^|\s)#.*"
    """What is left out of each line; empty: nothing."""


_DEPENDENCIES: Final = (
    *("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "overrides", "resolutions"),
    "pnpm",
)
_SHORTHAND: Final = r"^((?!workspace:|catalog:)[a-z][a-z0-9+.-]*:\S+|[\w.-]+/[\w.-]+(?:#\S*)?)$"
_OTHER: Final = r"(?:(?:-[rc]|--requirem\w*|--c\w*)(?:\s*=\s*|\s+)|-[rc])"
"""How pip is told to read another file; it takes the beginnings of long options too."""
_PEP_508: Final = r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:$|[<>=!~;@ ,(])"
_WITHOUT_HOST: Final = r"(?:^|[\"'@\s])((?:https?|git|ssh|ftp)(?:\+\w+)?:(?!//)\S+)"
_IMAGE: Final = r"\bimage[\"']?:\s*[\"']?(?:\$\{\w+:?-)?([^\s\"',}]+)"

ROWS: Final = (
    OriginRow(
        names=(
            "*requirements*.txt",
            "*requirements*.in",
            "requirements/*.txt",
            "requirements/*.in",
            "*constraints*.txt",
        ),
        direct=(f"({ADDRESS})", r"--t[a-z-]*[=\s]+(\S+)"),
        files=(rf"(?:^|\s){_OTHER}([^\s#\\]\S*)",),
        is_continued=True,
        packages=(_PEP_508,),
    ),
    OriginRow(
        names=("*.txt", "*.in"),  # pip reads any file by any name; a text that is none has no such lines
        direct=(
            rf"^\s*(?:-\S{{1,30}}[=\s]\s*|-[ife]|[\w.-]{{1,100}}\s*(?:\[[^\]]{{0,100}}\]\s*)?@\s*)({ADDRESS})\s*(?:[;#].*|--hash.*)?$",
            r"^\s*--trusted-host[=\s]\s*(\S+)\s*$",
        ),
        files=(rf"^\s*{_OTHER}(\S+\.(?:txt|in))\s*$",),
        is_continued=True,
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
        renamed=("package",),
    ),
    OriginRow(
        names=("package.json",),
        grammar=Grammar.JSON,
        tables=(*_DEPENDENCIES, "packageManager"),
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
        grammar=Grammar.JSONC,
        tables=("imports", "scopes"),
        direct=(f"({ADDRESS})", r"^((?:npm|jsr):\S+)$"),
    ),
    OriginRow(
        names=("package-lock.json", "npm-shrinkwrap.json"),
        grammar=Grammar.JSON,
        addresses=(
            *("resolved", "version", "requires.*"),
            *(f"{name}.*" for name in _DEPENDENCIES if name.endswith("ependencies")),
        ),
        archives=Archives.NPM,
    ),
    OriginRow(
        names=("yarn.lock",),
        is_unusual=True,  # in files of yarn 2 and later
        resolved=(rf"(?:@|\b|[\"'])({ADDRESS})", _WITHOUT_HOST, r'"?resolved"?\s+"?([^"\s]+)', ESCAPED),
        archives=Archives.YARN,
        comment="",
    ),
    OriginRow(
        names=("pnpm-lock.yaml",),
        grammar=Grammar.YAML,
        is_unusual=True,
        addresses=("tarball", "registry", "repo", "url"),
        archives=Archives.PNPM,
    ),
    OriginRow(names=("bun.lock",), grammar=Grammar.JSONC, is_unusual=True, resolved=(f"({ADDRESS})", _WITHOUT_HOST)),
    OriginRow(
        names=("uv.lock",),
        grammar=Grammar.TOML,
        addresses=("registry", "git", "url", "path", "index"),
        archives=Archives.PYTHON,
    ),
    OriginRow(
        names=("pdm.lock",),
        grammar=Grammar.TOML,
        is_unusual=True,
        addresses=("git", "url", "path"),
        archives=Archives.PYTHON,
    ),
    OriginRow(names=("poetry.lock",), grammar=Grammar.TOML, is_unusual=True, addresses=("url", "git")),
    OriginRow(
        names=("pipfile.lock",), grammar=Grammar.JSON, addresses=("url", "git", "hg", "svn", "bzr", "file", "path")
    ),
    OriginRow(names=("cargo.lock",), grammar=Grammar.TOML, addresses=("source",)),
    OriginRow(
        names=("composer.lock",),
        grammar=Grammar.JSON,
        addresses=("dist.url", "source.url", "mirrors.url"),
        sources=("packages", "packages-dev"),
        is_by_host=True,
    ),
    OriginRow(
        names=("package.resolved",), grammar=Grammar.JSON, addresses=("location", "repositoryURL"), is_by_host=True
    ),
    OriginRow(names=("pubspec.lock", "chart.lock"), grammar=Grammar.YAML, addresses=("url", "repository")),
    OriginRow(names=("gemfile.lock",), resolved=(r"^\s+remote:\s*(\S+)",)),
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
    OriginRow(
        names=("*.gradle", "*.gradle.kts", "package.swift"),
        direct=(f"({ADDRESS_IN_CODE})",),
        comment=r"^\s*(?://|\*(?!.*\*/)).*",
    ),
    OriginRow(
        names=("dockerfile*", "*.dockerfile", "containerfile*"),
        grammar=Grammar.DOCKERFILE,
        direct=(
            r"--mount=\S*?\bfrom=([^,\s]+)",
            *(
                r"^\s*FROM\s+(?:--\S+\s+)*(\S+)",
                r"^\s*(?:ONBUILD\s+)?(?:COPY|ADD)\s+(?:--\S+\s+)*--from=(\S+)",
                f"({ADDRESS})",
            ),
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
    OriginRow(names=("environment.y*ml", "podfile"), direct=(f"({ADDRESS})",)),
    OriginRow(names=("pubspec.y*ml",), direct=(rf"\b(?:url|git|hosted):\s*[\"']?({ADDRESS})",)),
    OriginRow(names=("mix.exs",), direct=(r"\b(?:git|github|url|repo):\s*\"([^\"]+)\"",)),
)
