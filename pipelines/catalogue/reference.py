"""What people and editors read about bug-fix.yml, from the code: `python -m pipelines.catalogue.reference` writes it.

docs/bug-fix.schema.json as a whole; in docs/catalogue.md the part between the two marks.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import msgspec.inspect as mi
from msgspec import Struct

from pipelines.catalogue.agent_profiles import ALL_TOOLS, BUILT_IN
from pipelines.catalogue.format import CatalogueFile, schema
from pipelines.catalogue.stack_presets import FRAMEWORKS, PRESETS

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
BEGIN: Final = "<!-- generated: python -m pipelines.catalogue.reference -->\n"
END: Final = "<!-- end -->\n"


def files(page: str) -> dict[str, str]:
    """Return the generated files by name; `page` is docs/catalogue.md as it is."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {
        "bug-fix.schema.json": json.dumps(_described(schema()), indent=1, ensure_ascii=False) + "\n",
        "catalogue.md": before + BEGIN + "\n" + reference() + "\n" + END + after,
    }


def reference() -> str:
    """Return tables of all keys and of the presets, as Markdown."""
    parts = ["\n".join(_table(struct, where)) for struct, where in _sections()]
    return "\n\n".join([*parts, "\n".join(_presets()), "\n".join(_agents())]) + "\n"


def _sections() -> Iterator[tuple[type[Struct], str]]:
    """Yield every section of the file with its first place, those above first."""
    seen: set[type[Struct]] = set()
    waiting: list[tuple[mi.Type, str]] = [(mi.type_info(CatalogueFile), "")]
    while waiting:
        kind, where = waiting.pop(0)
        if isinstance(kind, mi.Metadata):
            waiting.insert(0, (kind.type, where))
        elif isinstance(kind, mi.UnionType):
            waiting[:0] = [(one, where) for one in kind.types]
        elif isinstance(kind, mi.DictType) and isinstance(kind.value_type, mi.StructType):
            waiting.insert(0, (kind.value_type, f"{where}.NAME"))
        elif isinstance(kind, mi.VarTupleType):
            waiting.insert(0, (kind.item_type, f"{where}[]"))
        elif isinstance(kind, mi.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            yield kind.cls, where
            waiting += [(field.type, f"{where}.{field.encode_name}".lstrip(".")) for field in kind.fields]


def _table(struct: type[Struct], where: str) -> list[str]:
    info = mi.type_info(struct)
    assert isinstance(info, mi.StructType)  # noqa: S101 - for the type checker
    texts = _docstrings(struct)
    rows = [
        f"| `{field.encode_name}` | {_kind(field.type)} | {_default(field)} | {texts.get(field.name, '')} |"
        for field in info.fields
    ]
    head = f"### `{where}`" if where else "### The file"
    return [head, "", inspect.getdoc(struct) or "", "", "| key | value | default | |", "|---|---|---|---|", *rows]


def _kind(kind: mi.Type) -> str:
    match kind:
        case mi.Metadata():
            described: str | None = (kind.extra_json_schema or {}).get("description")
            text = described if described and not isinstance(kind.type, mi.DictType) else _kind(kind.type)
        case mi.UnionType():
            text = _kind(next(one for one in kind.types if not isinstance(one, mi.NoneType)))
        case mi.EnumType():
            text = ", ".join(_code(str(member.value)) for member in kind.cls)
        case mi.VarTupleType():
            text = f"list of: {_kind(kind.item_type)}"
        case mi.DictType():
            text = "by name" if isinstance(kind.value_type, mi.StructType) else f"by name: {_kind(kind.value_type)}"
        case _:
            text = _NAMES[type(kind)]
    return text


_NAMES: Final[dict[type[mi.Type], str]] = {
    mi.StructType: "section",
    mi.IntType: "whole number",
    mi.DecimalType: "dollars",
    mi.StrType: "text",
}


def _default(field: mi.Field) -> str:
    if field.required:
        return "**required**"
    value = field.default if field.default is not msgspec.NODEFAULT else None
    if isinstance(value, Enum):
        return _code(str(value.value))
    if value is None or isinstance(value, Struct) or value == ():
        return ""
    return _code(", ".join(value) if isinstance(value, tuple) else str(value))


def _presets() -> Iterator[str]:
    yield "### Presets"
    yield ""
    head = (
        "image",
        "runner tags",
        "timeout",
        "install",
        "test",
        "integration",
        "coverage",
        "lint",
        "format",
        "reports",
    )
    yield "| | " + " | ".join((*head, "Cobertura", "reproduction")) + " |"
    yield "|---" * (len(head) + 3) + "|"
    for name, stack in PRESETS.items():
        given = stack.commands
        commands = (given.install, given.test, given.integration, given.coverage, given.lint, given.format)
        cells = (
            stack.image,
            ", ".join(stack.tags),
            stack.timeout,
            *commands,
            ", ".join(stack.junit),
            stack.coverage_report,
            FRAMEWORKS[name].value,
        )
        yield f"| `{name.value}` | " + " | ".join(_code((cell or "").replace("|", "\\|")) for cell in cells) + " |"


def _agents() -> Iterator[str]:
    yield "### Built-in agents"
    yield ""
    yield "| | for | stacks | tools |"
    yield "|---|---|---|---|"
    for name, profile in BUILT_IN.items():
        stacks = ", ".join(map(_code, profile.stacks)) or "all"
        tools = "all" if profile.tools == ALL_TOOLS else ", ".join(map(_code, profile.tools))
        yield f"| `{name}` | {profile.purpose} | {stacks} | {tools} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _docstrings(struct: type[Struct]) -> dict[str, str]:
    """Return the attribute docstrings of a Struct and of those that it extends; Python itself does not keep them."""
    texts: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if not issubclass(one, Struct) or one is Struct:
            continue
        [body] = [node.body for node in ast.parse(inspect.getsource(one)).body if isinstance(node, ast.ClassDef)]
        for node, following in pairwise(body):
            match node, following:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = " ".join(text.split())
    return texts


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """Add the attribute docstrings to a JSON Schema, where editors show them."""
    for struct, _ in _sections():
        texts = _docstrings(struct)
        properties = document["$defs"][struct.__name__]["properties"]
        for field in msgspec.structs.fields(struct):
            text = texts.get(field.name)
            if text:
                properties[field.encode_name] = {**properties[field.encode_name], "description": text}
    return document


def main() -> None:
    """Write the files."""
    page = DOCS / "catalogue.md"
    for name, text in files(page.read_text()).items():
        (DOCS / name).write_text(text)
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
