"""YAML as plain data: what PyYAML makes of it, but for scalars, tags and depth."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.patch.documents import walk
from pipelines.patch.yaml_data import yaml_documents

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
DATA = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@given(DATA, st.booleans())
def test_what_was_written_is_read(data: object, flow: bool) -> None:  # noqa: FBT001 - drawn
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _: object) -> bool:
            return True

    text = yaml.dump(data, Dumper=Plain, default_flow_style=flow, default_style='"', allow_unicode=True)
    assert yaml_documents(text) == [data]


def test_aliases_merges_tags_and_documents_are_read() -> None:
    text = "a: &a {b: 1, c: x}\nd: {<<: *a, c: y}\ne: {c: z, <<: [*a]}\nf: !reference [a, *a]\n? [g]\n: h\n---\n~\n"
    found = {"b": "1", "c": "x"}
    first = {"a": found, "d": {"b": "1", "c": "y"}, "e": {"b": "1", "c": "z"}, "f": ["a", found], "": "h"}
    assert yaml_documents(text) == [first, "~"]


@pytest.mark.parametrize(
    "text",
    ["[", "a: b: c", "*a", "a: &b 1\n---\nc: *b\n", "[" * 101 + "]" * 101, "- " * 500 + "a", "[" * 300_000],
    ids=range(7),
)
def test_what_is_no_yaml_or_nests_too_deep_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        yaml_documents(text)


def test_aliases_of_aliases_take_no_longer_than_their_text() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60))]
    (found,) = yaml_documents("\n".join(lines))
    assert [text for _, _, text in walk(found)] == ["x"]
    keys = ", ".join(f"k{n}: v" for n in range(2_000))
    with pytest.raises(ValueError, match="keys"):
        yaml_documents(f"a: &a {{{keys}}}\nb: {{<<: [{', '.join(['*a'] * 100)}]}}\n")
