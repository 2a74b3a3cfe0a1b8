"""Compare plain values with the Struct that they should become: unknown keys, missing keys, wrong types, all at once.

msgspec stops at the first error and doesn't name keys of dictionaries; this names each, with what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

import msgspec.inspect as mi
from msgspec import Struct

from pipelines.catalogue.yaml_lines import Document, FileProblem, Path, Value


def problems(document: Document, kind: type[Struct]) -> tuple[FileProblem, ...]:
    """Return what keeps `document` from being a `kind`, in the order of the file."""
    found = [
        FileProblem(line=document.line(path), path=path, sentence=sentence)
        for path, sentence in _faults(document.value, mi.type_info(kind), ())
    ]
    return tuple(sorted(found, key=lambda problem: problem.line))


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return `did you mean "x"? ` when something known is close, and what is known."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return (f'did you mean "{close[0]}"? ' if close else "") + f"Possible: {', '.join(known)}"


Fault = tuple[Path, str]


def _faults(value: Value, kind: mi.Type, path: Path) -> Iterator[Fault]:
    described = kind
    if isinstance(kind, mi.Metadata):
        kind = kind.type
    if isinstance(kind, mi.UnionType):  # only `… | None` is used
        if value is not None:
            yield from _faults(value, next(one for one in kind.types if not isinstance(one, mi.NoneType)), path)
    elif isinstance(kind, mi.StructType):
        yield from _struct(value, kind, path)
    elif isinstance(kind, mi.DictType):
        yield from _dict(value, kind, path)
    elif isinstance(kind, mi.VarTupleType | mi.ListType):
        if not isinstance(value, list):
            yield (
                path,
                f"this must be a list, it is {_noun(value)}; write it as [a, b] or as lines that begin with a dash",
            )
            return
        for index, child in enumerate(value):
            yield from _faults(child, kind.item_type, (*path, index))
    elif sentence := _leaf(value, kind, described):
        yield path, sentence


def _struct(value: Value, kind: mi.StructType, path: Path) -> Iterator[Fault]:
    if not isinstance(value, dict):
        names = ", ".join(field.encode_name for field in kind.fields)
        yield path, f"this must be a section with keys ({names}), it is {_noun(value)}; write `key: value` below it"
        return
    fields = {field.encode_name: field for field in kind.fields}
    for name in value:
        if name not in fields:
            yield (*path, name), f'there is no key "{name}" here; {suggestion(name, list(fields))}'
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, (*path, name))
        elif field.required:
            yield path, f'the key "{name}" is missing; add it'


def _dict(value: Value, kind: mi.DictType, path: Path) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, f"this must be a section of names, it is {_noun(value)}; write `name: …` below it"
        return
    if kind.min_length and len(value) < kind.min_length:
        yield path, "this is empty; name at least one"
    for name, child in value.items():
        keyed = list(_faults(name, kind.key_type, (*path, name)))
        yield from keyed
        if not keyed:
            yield from _faults(child, kind.value_type, (*path, name))


def _leaf(value: Value, kind: mi.Type, described: mi.Type) -> str | None:
    """Return what is wrong with a value that holds no others."""
    wanted = _wanted(described)
    match kind:
        case mi.EnumType():
            known = [str(member.value) for member in kind.cls]
            return None if value in known else f'"{value}" is not known here; {suggestion(str(value), known)}'
        case mi.StrType():
            if not isinstance(value, str):
                return f"this must be {wanted}, it is {_noun(value)}; put it in quotes"
            too_long = kind.max_length is not None and len(value) > kind.max_length
            if too_long or (kind.pattern is not None and not re.fullmatch(kind.pattern, value)):
                return f'"{value[:80]}" is not {wanted}; correct it'
            given = value.strip() or kind.min_length == 0
            return None if given else "this is empty; fill it in or leave the key out"
        case mi.IntType():
            inside = (
                isinstance(value, int)
                and not isinstance(value, bool)
                and (kind.ge is None or value >= kind.ge)
                and (kind.le is None or value <= kind.le)
            )
            return None if inside else f"this must be {wanted}, it is {_noun(value)}; correct it"
        case mi.DecimalType():
            number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            return None if number else f"this must be a number, it is {_noun(value)}; write it as 6.00"
        case _:
            raise TypeError(kind)  # a kind that the catalogue's format does not use: teach it here


def _wanted(described: mi.Type) -> str:
    if isinstance(described, mi.Metadata) and described.extra_json_schema:
        examples = described.extra_json_schema.get("examples", [])
        return f"{described.extra_json_schema['description']}" + (f", such as {examples[0]}" if examples else "")
    return "a whole number" if isinstance(described, mi.IntType) else "text"


_NOUNS: Final[dict[type, str]] = {dict: "a section", list: "a list", type(None): "empty"}


def _noun(value: Value) -> str:
    return _NOUNS.get(type(value)) or str(value).lower()[:80]
