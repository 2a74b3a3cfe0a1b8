"""From the bytes of a request to its Struct, refusing in the API's words. Knows nothing of models or of tool pairing.

The API answers in the manner of pydantic, `messages.0.content: Field required`; msgspec's errors are turned into that.
"""

import re
from typing import Any, Final, Generic, TypeVar

import msgspec

from sandbox.anthropic.errors import ApiError, Kind, invalid
from sandbox.anthropic.wire import CountRequest

MAX_BYTES: Final = 32 * 1024 * 1024

_HINTS: Final = {
    "thread": "conversations kept on the server are not emulated: pass thread=False to the SDK's tool_runner",
    "betas": "betas go into the anthropic-beta header, and none is emulated",
}
_NOT_EMULATED: Final = (
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "user_profile_id",
    "workspace_id",
)
_ANTHROPIC_TOOL: Final = re.compile(r"_20\d{6}$|^mcp_toolset$")
_REWORDED: Final = (
    (re.compile(r"Object missing required field `(?P<field>[^`]+)`"), "Field required"),
    (re.compile(r"Object contains unknown field `(?P<field>[^`]+)`"), "Extra inputs are not permitted"),
    (re.compile(r"Expected `str`, got `.*`"), "Input should be a valid string"),
    (re.compile(r"Expected `(?:array|list)`, got `.*`"), "Input should be a valid list"),
    (re.compile(r"Expected `object`, got `.*`"), "Input should be a valid dictionary"),
    (re.compile(r"Expected `int`, got `.*`"), "Input should be a valid integer"),
    (re.compile(r"Expected `int` >= (\d+)"), r"Input should be greater than or equal to \1"),
    (re.compile(r"Expected `float` >= (\S+)"), r"Input should be greater than or equal to \1"),
    (re.compile(r"Expected `float` <= (\S+)"), r"Input should be less than or equal to \1"),
    (re.compile(r"Expected `str` matching regex '(.*)'"), r"String should match pattern '\1'"),
    (re.compile(r"Invalid (?:enum )?value (.*)"), r"Input \1 is not one of the values that this emulator accepts"),
)

R = TypeVar("R", bound=CountRequest)


class Parsed(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A request, both as Structs and as the JSON that it came as."""

    request: R
    raw: dict[str, Any]
    """Its order of keys counts for the cache."""


def parse(body: bytes, shape: type[R]) -> Parsed[R]:
    """Decode and check the shape of a request body."""
    if len(body) > MAX_BYTES:
        raise ApiError(Kind.TOO_LARGE, f"Request exceeds the maximum size of {MAX_BYTES} bytes")
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from error
    if not isinstance(raw, dict):
        raise invalid("The request body is not a JSON object")
    _check_names(raw, shape)
    _check_tool_types(raw.get("tools"))
    try:
        request = msgspec.convert(raw, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise invalid(reword(str(error))) from error
    return Parsed(request=request, raw=raw)


def _check_names(raw: dict[str, Any], shape: type[R]) -> None:
    known = set(shape.__struct_fields__)
    for name in raw:
        if name in _NOT_EMULATED:
            raise invalid(f"{name}: is not emulated by this sandbox")
        if name not in known:
            hint = _HINTS.get(name)
            raise invalid(f"{name}: Extra inputs are not permitted" + (f" ({hint})" if hint else ""))


def _check_tool_types(tools: object) -> None:
    if not isinstance(tools, list):
        return
    for index, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and _ANTHROPIC_TOOL.search(kind):
            raise invalid(
                f"tools.{index}.type: {kind!r} is not emulated by this sandbox, which knows custom tools only"
            )


def reword(message: str) -> str:
    """Turn msgspec's message and path into the API's."""
    text, _, path = message.partition(" - at `$")
    parts = [part for part in re.split(r"[.\[\]]+", path.rstrip("`")) if part]
    for pattern, wording in _REWORDED:
        if match := pattern.fullmatch(text):
            field = match.groupdict().get("field")
            parts += [field] if field else []
            text = match.expand(wording)
            break
    return ".".join(parts) + (f": {text}" if parts else text)
