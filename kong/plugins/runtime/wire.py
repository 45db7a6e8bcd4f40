"""Protocol Buffers' wire format, as much of it as `wire.proto` needs.

Written by hand because the messages are few and tiny: see docs/decisions for the measurement against generated code.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from kong.plugins.runtime.errors import MalformedMessageError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

_DOUBLE = Struct("<d")
_UINT64 = 1 << 64


def varint(number: int) -> bytes:
    """An integer, two's complement in 64 bits if negative."""
    if 0 <= number < 0x80:
        return bytes((number,))
    number %= _UINT64
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tagged(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    if number < 16 and len(payload) < 0x80:
        return b"%c%c%b" % (number << 3 | LENGTH, len(payload), payload)
    return varint(number << 3 | LENGTH) + varint(len(payload)) + payload


def tagged_integer(number: int, value: int) -> bytes:
    return varint(number << 3 | VARINT) + varint(value)


def tagged_double(number: int, value: float) -> bytes:
    return varint(number << 3 | FIXED64) + _DOUBLE.pack(value)


def double(payload: bytes) -> float:
    value: float = _DOUBLE.unpack(payload)[0]
    return value


def signed(number: int) -> int:
    """A decoded varint as the int32 or int64 that it stands for."""
    return number - _UINT64 if number >= 1 << 63 else number


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at `at`, and where it ends. At most 10 bytes (64 bits)."""
    number = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise MalformedMessageError("a varint of more than 64 bits")
    except IndexError:
        raise MalformedMessageError("a varint is cut short") from None
    return number % _UINT64, at


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field of a message: its number, and an int (varint) or the bytes (all other types). Unknown ones too."""
    at = 0
    size = len(data)
    while at < size:
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise MalformedMessageError("field number 0")
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield number, value
            continue
        if kind == LENGTH:
            length, at = read_varint(data, at)
        elif kind == FIXED64:
            length = 8
        elif kind == FIXED32:
            length = 4
        else:
            raise MalformedMessageError(f"wire type {kind}")
        end = at + length
        if end > size:
            raise MalformedMessageError("a field is cut short")
        yield number, data[at:end]
        at = end


def bytes_field(data: bytes, wanted: int) -> bytes | None:
    """The last occurrence of a length-delimited field, as Protocol Buffers rules."""
    found = None
    for number, value in fields(data):
        if number == wanted:
            if not isinstance(value, bytes):
                raise MalformedMessageError(f"field {number} is not length-delimited")
            found = value
    return found


def integer_field(data: bytes, wanted: int) -> int | None:
    found = None
    for number, value in fields(data):
        if number == wanted:
            if not isinstance(value, int):
                raise MalformedMessageError(f"field {number} is not a varint")
            found = signed(value)
    return found
