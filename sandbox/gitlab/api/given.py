"""Parse what a client gave into a Struct, and declare a Struct's fields as a route's parameters."""

from typing import TypeVar

import msgspec

from sandbox.http import HttpError, Request

T = TypeVar("T", bound=msgspec.Struct)


def parse(request: Request, shape: type[T]) -> T:
    """Read query and body into the Struct as GitLab coerces them (`"3"` is a number); 400 names what is wrong."""
    fields = request.fields()
    nested = [name for name in fields if "[" in name]
    if nested:
        raise HttpError(400, {"error": f"the GitLab emulator reads nested parameters from JSON only: {nested[0]}"})
    try:
        return msgspec.convert(fields, shape, strict=False)
    except msgspec.ValidationError as error:
        raise HttpError(400, {"error": str(error)}) from error


def names(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """Give the names of all parameters."""
    return tuple(one.encode_name for one in msgspec.structs.fields(shape))


def required(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """Give the names of those that must be sent."""
    return tuple(one.encode_name for one in msgspec.structs.fields(shape) if one.required)


def number(request: Request, name: str) -> int:
    """Return a number of the path; answers 404 to anything else, as GitLab does."""
    text = request.params[name]
    if not text.isdecimal():
        raise HttpError(404, {"message": "404 Not found"})
    return int(text)
