"""Offset pagination as GitLab does it: page and per_page in, X-… and Link headers out (doc/api/rest/_index.md)."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlencode

from sandbox.http import HttpError, Request, Response

T = TypeVar("T")
PAGE: Final = ("page", "per_page")
"""Declare these on every list route."""
DEFAULT_PER_PAGE: Final = 20
MAX_PER_PAGE: Final = 100


def page(request: Request, items: Sequence[T], shape: Callable[[T], object], *, base_url: str) -> Response:
    """Answer with one page of the items, each in its REST shape."""
    number = _positive(request, "page", 1)
    size = request.page_of(_positive(request, "per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE)
    last = max(1, -(-len(items) // size))
    links = {"first": 1, "last": last}
    links |= {"prev": number - 1} if number > 1 else {}
    links |= {"next": number + 1} if number < last else {}
    others = [(key, value) for key, value in request.query if key not in PAGE]

    def url(target: int) -> str:
        return f"{base_url}{request.path}?{urlencode([*others, ('page', target), ('per_page', size)])}"

    headers = {
        "X-Page": str(number),
        "X-Per-Page": str(size),
        "X-Total": str(len(items)),
        "X-Total-Pages": str(last),
        "X-Next-Page": str(links.get("next", "")),
        "X-Prev-Page": str(links.get("prev", "")),
        "Link": ", ".join(f'<{url(target)}>; rel="{name}"' for name, target in links.items()),
    }
    start = (number - 1) * size
    return Response.json([shape(item) for item in items[start : start + size]], headers=headers)


def _positive(request: Request, name: str, default: int) -> int:
    text = request.arg(name, str(default)) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise HttpError(400, {"error": f"{name} is invalid"})
    return int(text)
