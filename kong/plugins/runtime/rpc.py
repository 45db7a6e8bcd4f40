"""Kong's commands to a plugin server and the answers (`RpcCall`, `RpcReturn` of `wire.proto`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kong.plugins.runtime.errors import MalformedMessageError
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.wire import (
    bytes_field,
    fields,
    integer_field,
    read_varint,
    signed,
    tagged,
    tagged_integer,
)

_SEQUENCE = b"\x08"
"""The tag of the sequence field."""


@dataclass(frozen=True, slots=True)
class GetPluginNames:
    pass


@dataclass(frozen=True, slots=True)
class GetPluginInfo:
    name: str


@dataclass(frozen=True, slots=True)
class StartInstance:
    """`config` is JSON: the plugin's own fields beside Kong's (`__plugin_id`, `__key__`, `__seq__`, `route_id`...)."""

    name: str
    config: bytes


@dataclass(frozen=True, slots=True)
class GetInstanceStatus:
    instance: int


@dataclass(frozen=True, slots=True)
class CloseInstance:
    instance: int


@dataclass(frozen=True, slots=True)
class HandleEvent:
    instance: int
    phase: str


Command: TypeAlias = (
    GetPluginNames | GetPluginInfo | StartInstance | GetInstanceStatus | CloseInstance | HandleEvent
)


def decode(payload: bytes) -> tuple[int, Command]:
    """The sequence number, to be echoed, and the command. Raises MalformedMessageError."""
    sequence = 0
    command: Command | None = None
    for number, value in fields(payload):
        if number == 1 and isinstance(value, int):
            sequence = signed(value)
        elif 31 <= number <= 36 and isinstance(value, bytes):
            command = _command(number, value)
    if command is None:
        raise MalformedMessageError("no command that is known")
    return sequence, command


def sequence_and_rest(payload: bytes) -> tuple[bytes, bytes] | None:
    """The encoded sequence field and the command without it, uncopied into numbers; None if they come in another form.

    What is left is the same bytes for each event of an instance and phase that one of Kong's workers sends. Its encoder
    writes the two fields in the order in which it meets them in a Lua table, which each worker has anew.
    """
    if payload[:1] == _SEQUENCE:
        end = _varint_end(payload, 1)
        return None if end is None else (payload[:end], payload[end:])
    if len(payload) < 3:
        return None
    length, start = read_varint(payload, 2)  # behind a tag of two bytes, as fields 31 to 36 have it
    end = start + length
    if payload[end : end + 1] == _SEQUENCE and _varint_end(payload, end + 1) == len(payload):
        return payload[end:], payload[:end]
    return None


def _varint_end(payload: bytes, at: int) -> int | None:
    """Where the integer at `at` ends; None if it does not."""
    for end in range(at, len(payload)):
        if payload[end] < 0x80:
            return end + 1
    return None


def event_over(sequence: bytes) -> bytes:
    """The frames that end an event whose encoded sequence field this is."""
    return EMPTY + frame(sequence)


def encode_sequence(sequence: int) -> bytes:
    return tagged_integer(1, sequence) if sequence else b""


def plugin_names(sequence: int, names: list[str]) -> bytes:
    listed = b"".join(tagged(1, name.encode()) for name in names)
    return frame(encode_sequence(sequence) + tagged(31, listed))


def plugin_info(
    sequence: int, *, name: str, phases: Sequence[str], version: str, priority: int, schema: str
) -> bytes:
    info = tagged(1, name.encode())
    info += b"".join(tagged(4, phase.encode()) for phase in phases)
    info += tagged(5, version.encode()) + tagged_integer(6, priority) + tagged(7, schema.encode())
    return frame(encode_sequence(sequence) + tagged(32, info))


def instance_status(sequence: int, name: str, instance: int, started_at: int) -> bytes:
    """`started_at` in Unix seconds."""
    status = tagged(1, name.encode()) + tagged_integer(2, instance) + tagged_integer(4, started_at)
    return frame(encode_sequence(sequence) + tagged(33, status))


def _command(number: int, raw: bytes) -> Command:
    match number:
        case 31:
            return GetPluginNames()
        case 32:
            return GetPluginInfo(_text(raw, 1))
        case 33:
            return StartInstance(_text(raw, 1), bytes_field(raw, 2) or b"")
        case 34:
            return GetInstanceStatus(integer_field(raw, 1) or 0)
        case 35:
            return CloseInstance(integer_field(raw, 1) or 0)
        case _:
            return HandleEvent(integer_field(raw, 1) or 0, _text(raw, 2))


def _text(raw: bytes, number: int) -> str:
    return (bytes_field(raw, number) or b"").decode("utf-8", "replace")
