"""What a patch may not do, as a table of rules. Pure.

Each violation is a sentence for people. The same rules run in the job and, since jobs are not trusted, in the receiver.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pipelines.language.catalogue import Policy
from pipelines.patch.globs import matches
from pipelines.patch.shown import shown
from pipelines.patch.summary import Change, Content, PatchFile, PatchSummary

_FILE_MODES = frozenset({"100644", "100755"})
_SPECIAL_MODES = {"120000": "is a symbolic link", "160000": "is a submodule", "040000": "is a folder"}

_PIPELINE_FILES = (
    "**/*.gitlab-ci.yml",
    "**/*.gitlab-ci.yaml",
    "**/jenkinsfile*",
    "**/azure-pipelines*.yml",
    "**/azure-pipelines*.yaml",
    "**/bitbucket-pipelines.yml",
    "**/appveyor.yml",
    "**/.appveyor.yml",
    "**/.travis.yml",
    "**/.drone.yml",
    "**/.woodpecker.y*ml",
    "**/.woodpecker/**",
    "**/.circleci/**",
    "**/.buildkite/**",
    "**/.teamcity/**",
    "**/.husky/**",
    "**/.pre-commit-config.y*ml",
    "**/lefthook.y*ml",
    "**/.lefthook.y*ml",
    "**/codeowners",
    "bug-fix.yml",
    ".bug-fix/**",
)
"""Compared in lower case. They decide what runs in CI or on people's machines, and who must review."""

_PACKAGE_SOURCES = (
    *(
        "**/.npmrc",
        "**/.yarnrc",
        "**/.yarnrc.yml",
        "**/.pnpmfile.*js",
        "**/.yarn/**",
        "**/.pnp.*",
        "**/patches/*.patch",
    ),
    *("**/nuget.config", "**/pip.conf", "**/pip.ini", "**/uv.toml", "**/.pypirc"),
)
"""Compared in lower case. They decide where packages come from, what runs as they are installed, or change them."""

_IGNORABLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
"""File systems of other people's machines drop these: `.g\u200bit` would arrive there as `.git`."""
_SHORT_GIT = re.compile(r"git~\d+")


def violations(summary: PatchSummary, *, allowed: Sequence[str], policy: Policy) -> list[str]:
    """Return why the patch is refused, a sentence each; empty: nothing speaks against it.

    `allowed` are the catalogue's globs for the repository (`paths_allowed`).
    """
    found = list(_size(summary, policy))
    for file in summary.files:
        for path in dict.fromkeys((file.path, file.old_path)):
            found.extend(sentence for rule in _PATH_RULES if (sentence := rule(path)))
            if not any(matches(pattern, path) for pattern in allowed):
                found.append(f"{shown(path)} is outside of the paths that the catalogue allows: {', '.join(allowed)}.")
        found.extend(_file(file))
    counts = Counter(_folded(file.path) for file in summary.files)
    found.extend(f"{shown(path)} is changed twice in one patch." for path, count in counts.items() if count > 1)
    return found


def _size(summary: PatchSummary, policy: Policy) -> Iterator[str]:
    lines = summary.insertions + summary.deletions
    if not summary.files:
        yield "The patch changes nothing."
    if len(summary.files) > policy.max_patch_files:
        yield f"The patch touches {len(summary.files)} files; policy allows {policy.max_patch_files}."
    if lines > policy.max_patch_lines:
        yield f"The patch changes {lines} lines; policy allows {policy.max_patch_lines}."


def _file(file: PatchFile) -> Iterator[str]:
    for mode in dict.fromkeys((file.old_mode, file.new_mode)):
        if mode is not None and mode not in _FILE_MODES:
            yield f"{shown(file.path)} {_SPECIAL_MODES.get(mode, f'has the mode {mode}')}; only plain files are taken."
    if None in _modes(file):
        yield (
            f"{shown(file.path)} comes without its mode, so it could be a symbolic link; "
            "make the patch with `git diff --binary --full-index`."
        )
    if file.content is Content.BINARY:
        yield f"{shown(file.path)} is binary: nobody can review it; a person has to add it."


def _modes(file: PatchFile) -> tuple[str | None, ...]:
    """Return the modes that a patch has to name: git writes them, unless a rename or copy changes no content."""
    match file.change:
        case Change.ADDED:
            return (file.new_mode,)
        case Change.DELETED:
            return (file.old_mode,)
        case _:
            return (file.old_mode, file.new_mode)


def _not_relative(path: str) -> str | None:
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return f"{shown(path)} is an absolute path."
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return f"{shown(path)} leaves its folder or is not in its plain form."
    return None


def _unprintable(path: str) -> str | None:
    if "\\" in path or any(
        unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} for character in path
    ):
        return f"{shown(path)} holds a backslash, control character or invisible character."
    return None


def _git_file(path: str) -> str | None:
    for part in _folded(path).split("/"):
        if part.startswith(".git") or _SHORT_GIT.match(part):
            return f"{shown(path)} belongs to git or GitLab (.git…); the bot does not touch it."
    return None


def _pipeline_file(path: str) -> str | None:
    if any(matches(pattern, _folded(path)) for pattern in _PIPELINE_FILES):
        return f"{shown(path)} decides what runs in CI, or who reviews; the bot does not touch it."
    return None


def _package_source(path: str) -> str | None:
    if any(matches(pattern, _folded(path)) for pattern in _PACKAGE_SOURCES):
        return f"{shown(path)} decides which packages are installed, and from where; a person has to change it."
    return None


_PATH_RULES: tuple[Callable[[str], str | None], ...] = (
    *(_not_relative, _unprintable, _git_file, _pipeline_file),
    _package_source,
)


def _folded(path: str) -> str:
    """Return the path as the most forgiving file system would compare it."""
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFKC", path)).casefold()
    return "/".join(part.rstrip(". ") or part for part in visible.split("/"))
