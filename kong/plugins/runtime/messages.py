"""The PDK's argument and answer messages (`wire.proto`), and Kong's dynamic values (google.protobuf.Struct).

Encoders return the payload of one frame; decoders take one and raise MalformedMessageError. Protocol Buffers leave
out a field that has its default, so an empty frame is the empty text, zero, False or nil, as the method has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kong.plugins.runtime.errors import BodyUnreadableError, MalformedMessageError
from kong.plugins.runtime.wire import (
    bytes_field,
    double,
    fields,
    integer_field,
    read_varint,
    tagged,
    tagged_double,
    tagged_integer,
)

Value: TypeAlias = "bool | float | str | Sequence[Value] | Mapping[str, Value] | None"
"""A google.protobuf.Value: what JSON can say."""

_DEPTH = 32  # deeper than any header or context; keeps a hostile value from exhausting the stack


@dataclass(frozen=True, slots=True)
class BodyInFile:
    """A body over Kong's `client_body_buffer_size`: a path in Kong's own file system, not the plugin's."""

    path: str


@dataclass(frozen=True, slots=True)
class UriCaptures:
    """What a route's regular expression captured, by position (without the whole match) and by name."""

    unnamed: tuple[str, ...]
    named: Mapping[str, str]


def encode_text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return tagged(1, raw) if raw else b""


def encode_content(content: bytes) -> bytes:
    return tagged(1, content) if content else b""


def encode_integer(number: int) -> bytes:
    return tagged_integer(1, number) if number else b""


def encode_pair(key: str, value: Value) -> bytes:
    return _short_pair(key, value) or encode_text(key) + tagged(2, encode_value(value))


def encode_target(host: str, port: int) -> bytes:
    return encode_text(host) + tagged_integer(2, port)


def encode_exit(status: int, body: bytes | str, headers: bytes) -> bytes:
    """`headers`: as `encode_struct` has them."""
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    out = tagged_integer(1, status)
    if raw:
        out += tagged(2, raw)
    if headers:
        out += tagged(3, headers)
    return out


def encode_answer(key: str, status: int, body: bytes, headers: bytes) -> bytes:
    """The pair of `key` and a record of `status`, `body` and `headers`, which are as `encode_struct` has them."""
    members = (
        ("status", tagged_double(2, status)),
        ("body", tagged(3, body)),
        ("headers", tagged(5, headers)),
    )
    record = b"".join([tagged(1, encode_text(name) + tagged(2, value)) for name, value in members])
    return encode_text(key) + tagged(2, tagged(5, record))


def encode_struct(members: Mapping[str, Value]) -> bytes:
    return b"".join([tagged(1, encode_pair(key, value)) for key, value in members.items()])


def _short_pair(key: str, value: Value) -> bytes | None:
    """A text by its name where every length fits into one byte, as with most headers; None if it is another."""
    if type(value) is not str:
        return None
    name = key.encode("utf-8", "surrogateescape")
    text_ = value.encode("utf-8", "surrogateescape")
    if not name or len(name) > 127 or len(text_) > 125:
        return None
    return b"\x0a%c%b\x12%c\x1a%c%b" % (len(name), name, len(text_) + 2, len(text_), text_)


def encode_list(items: Sequence[Value]) -> bytes:
    return b"".join([tagged(1, encode_value(item)) for item in items])


def encode_value(value: Value) -> bytes:
    if isinstance(value, str):
        return tagged(3, value.encode("utf-8", "surrogateescape"))
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, int | float):
        return tagged_double(2, value)
    if isinstance(value, Mapping):
        return tagged(5, encode_struct(value))
    return tagged(6, encode_list(value))


def text(payload: bytes) -> str:
    """String, where nil cannot be."""
    if len(payload) > 1 and payload[0] == 0x0A:
        length, start = _length(payload, 1)
        if start + length == len(payload):  # the one shape that Kong sends
            return payload[start:].decode("utf-8", "surrogateescape")
    return _text(bytes_field(payload, 1))


def optional_text(payload: bytes) -> str | None:
    return text(payload) if payload else None


def content(payload: bytes) -> bytes:
    """ByteString."""
    return bytes_field(payload, 1) or b""


def integer(payload: bytes) -> int:
    return integer_field(payload, 1) or 0


def boolean(payload: bytes) -> bool:
    return bool(integer_field(payload, 1))


def number(payload: bytes) -> float:
    raw = bytes_field(payload, 1)
    return _double(raw) if raw else 0.0


def raw_body(payload: bytes) -> bytes | BodyInFile:
    answer: bytes | BodyInFile = b""
    for number_, value_ in fields(payload):
        raw = _bytes(value_)
        if number_ == 1:
            answer = raw
        elif number_ == 2:
            answer = BodyInFile(raw.decode("utf-8", "surrogateescape"))
        elif number_ == 3:
            raise BodyUnreadableError(raw.decode("utf-8", "replace"))
    return answer


def uri_captures(payload: bytes) -> UriCaptures:
    unnamed: list[str] = []
    named: dict[str, str] = {}
    for number_, value_ in fields(payload):
        raw = _bytes(value_)
        if number_ == 1:
            unnamed.append(_text(raw))
        elif number_ == 2:
            named[_text(bytes_field(raw, 1))] = _text(bytes_field(raw, 2))
    return UriCaptures(tuple(unnamed), named)


def struct(payload: bytes) -> dict[str, Value]:
    return _struct(payload, _DEPTH)


def value(payload: bytes) -> Value:
    return _value(payload, _DEPTH)


def _struct(payload: bytes, depth: int) -> dict[str, Value]:
    try:
        members = _texts(payload, depth)
    except (
        IndexError,
        MalformedMessageError,
    ):  # of another shape, or cut short: the general decoder says where
        members = None
    if members is None:
        members = {}
        for number_, entry in fields(payload):
            if number_ == 1:
                raw = _bytes(entry)
                members[_text(bytes_field(raw, 1))] = _value(bytes_field(raw, 2) or b"", depth)
    return members


def _texts(payload: bytes, depth: int) -> dict[str, Value] | None:
    """A Struct whose members have the name first, as Kong writes them; None if it is another.

    Request headers are the largest message on a hot path; this takes a fifth of the general decoder's time.
    A member is `0a <n> { 0a <k> name 12 <v> { 1a <t> text } }`.
    """
    members: dict[str, Value] = {}
    at = 0
    size = len(payload)
    while at < size:
        length, start = _length(payload, at + 1)
        end = start + length
        name_length, name_start = _length(payload, start + 1)
        middle = name_start + name_length
        value_length, value_start = _length(payload, middle + 1)
        if payload[at] != 0x0A or payload[start] != 0x0A or payload[middle] != 0x12 or end > size:
            return None
        if value_start + value_length != end:
            return None
        name = payload[name_start:middle].decode("utf-8", "surrogateescape")
        text_length, text_start = _length(payload, value_start + 1)
        if payload[value_start] == 0x1A and text_start + text_length == end:
            members[name] = payload[text_start:end].decode("utf-8", "surrogateescape")
        else:
            members[name] = _value(payload[value_start:end], depth)
        at = end
    return members


def _length(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    return (byte, at + 1) if byte < 0x80 else read_varint(data, at)


def _value(payload: bytes, depth: int) -> Value:
    if not depth:
        raise MalformedMessageError(f"a value nested more than {_DEPTH} deep")
    if 1 < len(payload) < 0x82 and payload[0] == 0x1A and payload[1] == len(payload) - 2:
        return payload[2:].decode("utf-8", "surrogateescape")
    result: Value = None
    for number_, raw in fields(payload):
        if number_ == 2:
            result = _double(_bytes(raw))
        elif number_ == 3:
            result = _text(_bytes(raw))
        elif number_ == 4:
            result = bool(raw)
        elif number_ == 5:
            result = _struct(_bytes(raw), depth - 1)
        elif number_ == 6:
            result = [_value(_bytes(item), depth - 1) for field, item in fields(_bytes(raw)) if field == 1]
    return result


def _bytes(field: int | bytes) -> bytes:
    if not isinstance(field, bytes):
        raise MalformedMessageError("a varint where bytes should be")
    return field


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8", "surrogateescape") if raw else ""


def _double(raw: bytes) -> float:
    if len(raw) != 8:
        raise MalformedMessageError("a number that is not a double")
    return double(raw)
