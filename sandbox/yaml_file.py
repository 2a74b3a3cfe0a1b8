"""Read a YAML file into a Struct; refuse duplicate keys. Its errors name file and key, and it knows no format."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")


class YamlFileError(Exception):
    """A YAML file can't be read; the message names file and key."""


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, which besides refuses a key that is written twice: YAML's last-one-wins hides mistakes."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        """Build a mapping whose keys are all different."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(file: Path, *, type_: type[T]) -> T:
    """Return the file's content as `type_`."""
    try:
        with file.open(encoding="utf-8") as stream:
            content = yaml.load(stream, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader with one more refusal
    except OSError as error:
        raise YamlFileError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise YamlFileError(f"{file}: is not UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        raise YamlFileError(f"{file}: {error}") from error
    try:
        return msgspec.convert(content, type_)
    except msgspec.ValidationError as error:
        # msgspec ends its sentence with the key's place: "Expected `str`, got `int` - at `$.turns[0].text`".
        problem, _, place = str(error).partition(" - at `$")
        key = place.removesuffix("`").removeprefix(".") or "the file"
        raise YamlFileError(f"{file}: {key}: {problem}") from error
