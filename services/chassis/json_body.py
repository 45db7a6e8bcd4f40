"""Reads a JSON body strictly: nothing is taken for what it is not. `1` and `"true"` are no booleans, `"7"` is no
number: a consent that nobody gave in so many words is none.

How deep a body may nest does not depend on Python, whose own bound went from 994 levels (3.11) to 9,998 (3.13).

An object that names a member twice is refused: two readers of it could each see another one (RFC 8259 §4). What a
decoder raises for bodies that it cannot read is one refusal, whatever it is.
"""

import functools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from common.json_errors import UNREADABLE
from services.chassis.errors import BadRequest, InvalidInput
from services.chassis.field_errors import of_body, parsed

DEEPEST = 100
"""Levels of arrays and objects in one another (RFC 8259 §9)."""


def read(body: bytes, annotation: Any) -> Any:
    """`body` as `annotation`. Raises BadRequest for what is no JSON, InvalidInput where it is not what is asked for."""
    try:
        return _decoded(body, annotation)
    except msgspec.ValidationError as fault:
        raise InvalidInput(of_body(annotation, body) or [parsed(str(fault))]) from fault
    except UNREADABLE as fault:
        raise BadRequest("The body is not JSON (RFC 8259).") from fault


def _decoded(body: bytes, annotation: Any) -> Any:
    # First, since it refuses what is not UTF-8, NaN, and anything after the value.
    value = msgspec.json.decode(body)
    if body.count(b"[") + body.count(b"{") > DEEPEST and _too_deep(value):
        raise BadRequest("The body nests too deeply.")
    try:
        json.loads(body, object_pairs_hook=_unique, parse_int=_unread, parse_float=_unread)
    except _TwiceError as fault:
        raise BadRequest("The body names a member twice in one object.") from fault
    return _decoder(annotation).decode(body)


@functools.cache
def _decoder(annotation: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(annotation, strict=True)


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


class _TwiceError(Exception):
    pass


def _unique(members: Sequence[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in members:
        if name in names:
            raise _TwiceError
        names.add(name)


def _unread(_: str) -> None:
    """The number's value is nobody's business here."""
