"""Evaluate `rules:if` expressions (doc/ci/jobs/job_rules.md#cicd-variable-expressions).

`$VAR`, "string", 'string', null, /regex/flags; == != =~ !~ bind tighter than &&, that tighter than ||; parentheses.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.ci.errors import ConfigError

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<variable>\$\w+|\$\{\w+\}) | (?P<string>"[^"]*"|'[^']*') | (?P<null>null\b)
      | (?P<pattern>/(?:\\.|[^/\\])*/[ismU]*) | (?P<compare>==|!=|=~|!~) | (?P<logic>&&|\|\|) | (?P<paren>[()])
    )""",
    re.VERBOSE | re.ASCII,
)
_FLAGS: Final = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE}

Operand = str | None
Token = tuple[str, str]


class _Pattern(str):
    """A regular expression as written, with slashes and flags."""

    __slots__ = ()


def holds(expression: str, values: Mapping[str, str]) -> bool:
    """Tell whether an expression is true; ConfigError when it can't be read."""
    tokens = _tokens(expression)
    result = _Parser(tokens, values, expression).whole()
    return bool(result and result.strip())


def _tokens(expression: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ConfigError(f"invalid expression syntax: {expression}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, evaluating as it goes; truth is a non-empty string."""

    def __init__(self, tokens: list[Token], values: Mapping[str, str], source: str) -> None:
        self.tokens = tokens
        self.values = values
        self.source = source
        self.position = 0

    def whole(self) -> Operand:
        result = self.either()
        if self.position != len(self.tokens):
            raise self.invalid()
        return result

    def either(self) -> Operand:
        left = self.both()
        while self.accept("logic", "||"):
            right = self.both()
            left = left if _truthy(left) else right
        return left

    def both(self) -> Operand:
        left = self.comparison()
        while self.accept("logic", "&&"):
            right = self.comparison()
            left = right if _truthy(left) else None
        return left

    def comparison(self) -> Operand:
        left = self.operand()
        if self.position < len(self.tokens) and self.tokens[self.position][0] == "compare":
            operator = self.tokens[self.position][1]
            self.position += 1
            return "true" if _COMPARE[operator](left, self.operand()) else None
        return left

    def operand(self) -> Operand:
        if self.accept("paren", "("):
            result = self.either()
            if not self.accept("paren", ")"):
                raise self.invalid()
            return result
        if self.position >= len(self.tokens):
            raise self.invalid()
        kind, text = self.tokens[self.position]
        self.position += 1
        if kind == "variable":
            return self.values.get(text.strip("${}"))
        if kind == "string":
            return text[1:-1]
        if kind == "null":
            return None
        if kind == "pattern":
            return _Pattern(text)
        raise self.invalid()

    def accept(self, kind: str, text: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == (kind, text):
            self.position += 1
            return True
        return False

    def invalid(self) -> ConfigError:
        return ConfigError(f"invalid expression syntax: {self.source}")


def _truthy(value: Operand) -> bool:
    return bool(value and value.strip())


def _matches(left: Operand, right: Operand) -> bool:
    if left is None or right is None or not right.startswith("/"):
        return False
    body, _, flags = right[1:].rpartition("/")
    option = 0
    for flag in flags:
        option |= _FLAGS.get(flag, 0)
    try:
        # RE2 has \z where Python 3.11 has \Z.
        return re.search(body.replace(r"\/", "/").replace(r"\z", r"\Z"), left, option) is not None
    except re.error:
        return False


_COMPARE: Final[Mapping[str, Callable[[Operand, Operand], bool]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "=~": _matches,
    "!~": lambda left, right: not _matches(left, right),
}
