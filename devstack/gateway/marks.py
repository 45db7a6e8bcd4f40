"""YAML whose records and lists know their lines, so that a mistake in a declarative file is told with its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml


class Record(dict[str, Any]):
    """`lines` has the line of each key, `line` the one on which the record begins; both from 1."""

    line: int | None = None
    lines: dict[str, int]


class Items(list[Any]):
    """`lines` has the line of each entry."""

    lines: list[int]


class _Loader(yaml.SafeLoader):
    """The safe loader's values, in types of our own. What aliases name is one object, with its anchor's lines."""


def _record(loader: _Loader, node: yaml.MappingNode) -> Iterator[Record]:
    record = Record()
    record.line, record.lines = node.start_mark.line + 1, {}
    yield record
    for key, _ in node.value:
        name = str(key.value)
        if name in record.lines:
            raise yaml.constructor.ConstructorError(
                None, None, f"{name} is there twice, and Kong takes the last one alone", key.start_mark
            )
        record.lines[name] = key.start_mark.line + 1
    record.update({str(key): value for key, value in loader.construct_mapping(node).items()})


def _items(loader: _Loader, node: yaml.SequenceNode) -> Iterator[Items]:
    items = Items()
    items.lines = [entry.start_mark.line + 1 for entry in node.value]
    yield items
    items.extend(loader.construct_sequence(node))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _record)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG, _items)


def load(content: bytes) -> Any:
    """Raises yaml.YAMLError."""
    return yaml.load(content, Loader=_Loader)  # noqa: S506 - a SafeLoader


def line_of(container: Any, key: str | int | None = None) -> int | None:
    """Where `key` stands in the record or list, or where the record begins; None of what was not read from a file."""
    if isinstance(container, Items) and isinstance(key, int):
        return container.lines[key]
    if isinstance(container, Record):
        return container.lines.get(str(key), container.line)
    return None
