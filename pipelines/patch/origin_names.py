"""What an address, an image or a path says of the place from where something is fetched. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_REST: Final = r"[^\s'\"<>,;)\]}|]"
_HOST: Final = r"(?:[^\s'\"/@]{1,100}@)?[\w-]{1,63}(?:\.[\w-]{1,63}){1,20}(?![\w-])"
_WITH_SCHEME: Final = rf"[a-z][a-z0-9+.-]{{0,30}}://{_REST}+"
_OF_GIT: Final = rf"\b[\w.-]{{1,100}}@[\w.-]{{1,100}}:{_REST}+"
ADDRESS: Final = rf"{_WITH_SCHEME}|//{_HOST}{_REST}*|{_OF_GIT}"
"""A URL, one without a scheme whose host has a dot, or git's `user@host:path`."""
ADDRESS_IN_CODE: Final = rf"{_WITH_SCHEME}|(?<=[\"'])//{_HOST}{_REST}*|{_OF_GIT}"
"""The same where `//` begins a comment: one without a scheme begins a text."""
ESCAPED: Final = r"(\\[ux/]\S{0,200})"
"""A character that is written as an escape: no tool writes one into an address, so it hides what is fetched."""

_ARCHIVE: Final = re.compile(r"\.(?:whl|tgz|tar(?:\.\w+)?|zip|jar|gem|crate|nupkg|git)$", re.IGNORECASE)
_VERSION: Final = re.compile(r"v?\d+(?:\.\w+)+(?:[-+.]\w+)*")
_IS_ADDRESS: Final = re.compile(ADDRESS, re.IGNORECASE)
_ITSELF: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\])(?![\w.-])")
"""An address of the machine that asks: nothing comes from elsewhere."""
_LOCAL: Final = re.compile(
    r"(?:file:|link:|workspace:|catalog:)?(?![a-z][a-z0-9+.-]*:|/)[^\\\x00-\x1f]*|npm:.*", re.IGNORECASE
)
"""A path within the repository, a version, or another name in the same registry."""
_GIT_LOGIN: Final = re.compile(r"[\w.-]+@([\w.-]+):((?!//)[^\\]*)")
_NAMED: Final = re.compile(r"@?[\w./-]{1,300}@(?=[a-z][a-z0-9+.-]{0,30}://)", re.IGNORECASE)
"""A package's name before the address of its archive."""
_WITHIN: Final = frozenset({"workspace", "link", "file", "portal", "root", "npm", "patch", "catalog"})
"""What stands after `name@` where no host is meant."""
_ANYBODY: Final = frozenset(
    {
        *("github.com", "codeload.github.com", "raw.githubusercontent.com", "gist.github.com"),
        *("gitlab.com", "bitbucket.org", "codeberg.org"),
    }
)
"""Hosts at which anybody may offer something: there the owner and the repository are compared too."""


def place(found: str) -> str:
    """Return an origin without versions: of an address all but query, branch and archive; of an image its name."""
    text = found.strip().lower()
    if _ITSELF.match(text):
        return ""
    if not _IS_ADDRESS.fullmatch(text):
        plain = text.removeprefix("npm:")
        return plain if text.startswith(".") else re.sub(r"(?<=.)(?:@.*|#.*|:[^:/\\]*)$", "", plain)
    plain = re.split(r"[?#]", text)[0]
    head, slash, last = plain.rpartition("/")
    last = last.partition("@")[0]
    kept = [part for part in head.split("/") if not _VERSION.fullmatch(part)]
    is_file = _ARCHIVE.search(last) and not last.endswith(".git")
    return "/".join(kept) + ("" if is_file else f"{slash}{last.removesuffix('.git')}").rstrip("/")


def host(found: str, *, by_host: bool = False) -> str:
    """Return scheme and host of an address; nothing for a path or a version; the whole where no host can be told.

    Of git, and at hosts where anybody may offer something, owner and repository belong to it, unless `by_host`.
    """
    text = found.strip()
    if match := _GIT_LOGIN.fullmatch(text):
        return "" if match[1] in _WITHIN else _repository(f"ssh://{match[1].lower()}", match[2])
    text = _NAMED.sub("", text, count=1)
    if _LOCAL.fullmatch(text):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:  # it is no address, and nobody should fetch from it
        return text
    if not parts.hostname or "\\" in text:  # browsers and npm take `\` for `/`
        return re.split(r"[?#]", text)[0]
    scheme = parts.scheme.rpartition("+")[2]
    is_git = parts.scheme.startswith(("git", "ssh")) or parts.hostname in _ANYBODY
    return _repository(f"{scheme}://{parts.hostname}", parts.path if is_git and not by_host else "")


def _repository(server: str, path: str) -> str:
    """Return a server with the first two parts of a path, which name a repository without its version."""
    kept = "/".join([part for part in re.split(r"[@#]", path)[0].split("/") if part][:2])
    return f"{server}/{kept.removesuffix('.git').lower()}" if kept else server
