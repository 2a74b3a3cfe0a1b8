"""Read multipart forms (RFC 7578) into fields and files; binary content is kept byte for byte."""

import re
from collections.abc import Iterable

import msgspec


class MultipartError(Exception):
    """The form can't be read; the message says why."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a multipart form."""

    filename: str
    content_type: str
    content: bytes


def parts(body: bytes, content_type: str) -> Iterable[tuple[str, str | Upload]]:
    """Give the form's fields and files by name, in order."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if found is None:
        raise MultipartError("multipart form without a boundary")
    delimiter = b"\r\n--" + found[1].encode("latin-1")
    for part in (b"\r\n" + body).split(delimiter)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode("utf-8", "replace")
        name = re.search(r'\bname="([^"]*)"', text)
        filename = re.search(r'\bfilename="([^"]*)"', text)
        kind = re.search(r"(?im)^content-type:\s*(\S+)", text)
        if name is None:
            raise MultipartError("a part of the multipart form has no name")
        if filename is None:
            yield name[1], content.decode("utf-8", "replace")
        else:
            yield (
                name[1],
                Upload(
                    filename=filename[1],
                    content_type=kind[1] if kind else "application/octet-stream",
                    content=content,
                ),
            )
