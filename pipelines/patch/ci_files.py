"""Which files a repository's own CI reads, besides those known by name: found in its configuration at the base commit.

It begins at `.gitlab-ci.yml` and, where the project has one, at its setting *CI/CD configuration file*.

Pushing a fix runs these before anybody has looked. Pure; reads the base commit only, so a change can't take itself out.
https://docs.gitlab.com/ci/yaml/#includelocal, #triggerinclude; what `extends` means stands in one of these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from pipelines.patch.changed import Base, Changed
from pipelines.patch.display_name import shown
from pipelines.patch.globs import matches
from pipelines.patch.name_clashes import Folders
from pipelines.patch.yaml_data import yaml_documents

_ROOT: Final = ".gitlab-ci.yml"
_MOST: Final = 150
"""Files that GitLab includes in one pipeline: https://docs.gitlab.com/administration/settings/continuous_integration."""
_LARGEST: Final = 1_000_000
"""Characters of a file that are read; GitLab takes no more."""
_LONGEST: Final = 500
"""Characters of a path."""
_VARIABLE: Final = re.compile(r"\$(?:\w+|\{\w+\})|\$\[\[.*?\]\]")
_NAMELESS: Final = re.compile(r"[*/]*(?:\.ya?ml)?")
"""What is left of a path beside its variables where they alone say which file is meant."""
_SECTIONS: Final = frozenset({"stages", "include", "workflow", "variables"})
"""Keys at the top by which a file is taken for CI configuration; others, such as `services`, are in many files."""
_JOB_KEYS: Final = frozenset({"script", "trigger", "extends"})
_SCRIPTS: Final = frozenset({"script", "before_script", "after_script"})
_WORD: Final = re.compile(r"[^\s\"';&|()=<>`]+")


class CiFiles(Struct, frozen=True, kw_only=True):
    """What the configuration at the base commit names."""

    root: str = ""
    """The file that the project's setting names, if it is in the same project."""
    included: tuple[str, ...] = ()
    """Globs of further configuration."""
    by_variable: tuple[str, ...] = ()
    """Globs of further configuration whose names only variables know, such as `**` for `include: $FILE`."""
    words: frozenset[str] = frozenset()
    """Words of scripts, among them paths of programs."""
    is_elsewhere: bool = False
    """The configuration begins in another project or at an address, so that nobody here knows what it includes."""


class CiSetting(Struct, frozen=True, kw_only=True):
    """What GitLab's setting *CI/CD configuration file* means for a project.

    https://docs.gitlab.com/ci/pipelines/settings/#specify-a-custom-cicd-configuration-file
    """

    root: str = ""
    is_elsewhere: bool = False


def ci_setting(text: str, project: str) -> CiSetting:
    """Read the setting: a path, a path with `@group/project` and perhaps `:ref`, or an address; empty: the usual file.

    The file may be the project's own though its path is given: then a fix is run from it once it is merged.
    """
    path, at, place = text.strip().partition("@")
    if "://" in text or (at and place.partition(":")[0].strip("/").lower() != project.lower()):
        return CiSetting(is_elsewhere=True)
    return CiSetting(root=path.strip("/"))


def ci_files(base: Base, folders: Folders, setting: CiSetting | None = None) -> CiFiles:
    """Return what `.gitlab-ci.yml`, or the file of the setting, and all that they include name in this repository.

    Variables stay wildcards: GitLab takes those of an include from the project, its groups and the pipeline, never from
    the file's own `variables`. https://docs.gitlab.com/ci/yaml/includes/#use-variables-with-include
    """
    setting = setting or CiSetting()
    waiting, read = list(filter(None, [setting.root, _ROOT])), set[str]()
    patterns: list[str] = []
    by_variable: list[str] = []
    words: set[str] = set()
    while waiting and len(read) < _MOST:
        path = waiting.pop(0)
        content = None if path in read else base(path)
        read.add(path)
        if content is None:
            continue
        for kind, text in _named(content):
            if kind == "script":
                words.update(word.removeprefix("./") for word in _WORD.findall(text))
                continue
            pattern = _VARIABLE.sub("**", text.strip()).lstrip("/")
            if pattern in patterns or pattern in by_variable or not _is_path(pattern):
                continue
            found = [pattern] if "*" not in pattern else _found(pattern, folders)
            if _VARIABLE.search(text) and _NAMELESS.fullmatch(pattern):
                by_variable.append(pattern)
                found = [one for one in found if _is_configuration((base(one) or b"").decode(errors="replace"))]
            else:
                patterns.append(pattern)
            waiting += found
    return CiFiles(
        root=setting.root,
        included=tuple(patterns),
        by_variable=tuple(by_variable),
        words=frozenset(words),
        is_elsewhere=setting.is_elsewhere,
    )


def included_files(changed: Sequence[Changed], known: CiFiles) -> Iterator[str]:
    """Yield changed files that the repository's own CI includes, a sentence each."""
    for one in changed:
        if one.path == known.root:
            yield (
                f"{shown(one.path)} is the configuration of the repository's own CI, which would run it before anybody "
                "has looked; a person has to change it."
            )
        elif not one.path.endswith((".yml", ".yaml")):
            continue
        elif any(matches(pattern, one.path) for pattern in known.included):
            yield (
                f"{shown(one.path)} belongs to the repository's own CI ({shown(known.root or _ROOT)} includes it), "
                "which would run it before anybody has looked; a person has to change it."
            )
        elif (why := _unknown(one.path, known)) and any(map(_is_configuration, (one.before, one.after))):
            yield (
                f"{shown(one.path)} looks like CI configuration, and the repository's own CI {why}: "
                "it may run this one before anybody has looked; a person has to change it."
            )


def _unknown(path: str, known: CiFiles) -> str:
    """Return why nobody can tell whether the CI includes a file; empty where one can."""
    if any(matches(pattern, path) for pattern in known.by_variable):
        return "includes a file that only a variable names"
    return "begins in a file that is not of this project" if known.is_elsewhere else ""


def run_by_ci(changed: Sequence[Changed], known: CiFiles) -> Iterator[str]:
    """Yield changed files that scripts of the repository's own CI name, a sentence each."""
    for one in changed:
        if one.path in known.words:
            yield f"{shown(one.path)} is named in a script of the repository's own CI."


def _named(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield what a configuration includes ("local") and runs ("script")."""
    seen = set[int]()
    for document in _documents(content.decode(errors="replace")):
        if isinstance(document, dict):
            yield from (("local", path) for path in _locals(document.get("include")))
            waiting: list[Any] = [document]
            while waiting:
                value = waiting.pop()
                if not isinstance(value, dict | list) or id(value) in seen:
                    continue
                seen.add(id(value))  # an alias stands for one value, however often it is used
                waiting += value.values() if isinstance(value, dict) else value
                if isinstance(value, dict):
                    trigger = value.get("trigger")
                    inside = trigger.get("include") if isinstance(trigger, dict) else None
                    yield from (("local", path) for path in _locals(inside))
                    yield from (("script", text) for key in _SCRIPTS for text in _texts(value.get(key)))


def _documents(content: str) -> list[Any]:
    """Return what a file holds; nothing where it is no YAML, since GitLab reads nothing from it either."""
    try:
        return yaml_documents(content[:_LARGEST])
    except ValueError:
        return []


def _is_configuration(content: str) -> bool:
    """Say whether a file looks like CI configuration: by a section of it, a job, or a header with inputs."""
    for document in _documents(content):
        if not isinstance(document, dict):
            continue
        header = document.get("spec")
        if isinstance(header, dict) and "inputs" in header:
            return True
        jobs = (one for one in document.values() if isinstance(one, dict))
        if not _SECTIONS.isdisjoint(document) or any(not _JOB_KEYS.isdisjoint(job) for job in jobs):
            return True
    return False


def _locals(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain YAML data of any shape
    """Yield the paths that an `include` names in this repository."""
    for one in value if isinstance(value, list) else [value]:
        path = one.get("local") if isinstance(one, dict) else one
        if isinstance(path, str):
            yield path


def _is_path(text: str) -> bool:
    """Say whether GitLab would look for a configuration by this path, or pattern, in the repository."""
    is_plain = text.isprintable() and len(text) <= _LONGEST and not {"", ".", ".."} & set(text.split("/"))
    return is_plain and text.endswith((".yml", ".yaml", "*"))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain YAML data of any shape
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            yield from (text for text in one if isinstance(text, str))


def _found(pattern: str, folders: Folders) -> list[str]:
    """Return the files that a pattern with wildcards means at the base commit; asks only for folders that exist."""
    fixed = pattern.partition("*")[0].split("/")[:-1]
    found: list[str] = []
    waiting = [("", fixed)]
    for _ in range(_MOST):
        if not waiting:
            break
        folder, below = waiting.pop(0)
        for entry in folders(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_folder and below[:1] == [entry.name]:
                waiting.append((path, below[1:]))
            elif entry.is_folder and not below and "**" in pattern:
                waiting.append((path, []))
            elif not entry.is_folder and matches(pattern, path):
                found.append(path)
    return found[:_MOST]
