"""Kong's framing: a 4-byte little-endian length, then that many bytes (ProtoBuf:1, `pb_rpc.lua`)."""

from __future__ import annotations

from struct import Struct

_LENGTH = Struct("<I")

EMPTY = b"\0\0\0\0"
"""The frame of an empty message: "no argument", "no answer" and, as a method's name, "the event is over"."""


class FrameTooLargeError(Exception):
    """A frame announces more bytes than are allowed."""


def frame(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


class Frames:
    """Cuts a stream into frames; holds at most one incomplete frame.

    `limit` is in bytes of payload. What arrives is parsed where it lies: only the rest that is not a whole frame yet
    is kept.
    """

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    @property
    def incomplete(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that are complete now, in order. Raises FrameTooLargeError as soon as a length says so."""
        if self._rest:
            data = self._rest + data
        payloads = []
        start = 0
        size = len(data)
        while size - start >= 4:
            (length,) = _LENGTH.unpack_from(data, start)
            if length > self._limit:
                raise FrameTooLargeError(f"{length} bytes, at most {self._limit}")
            end = start + 4 + length
            if end > size:
                break
            payloads.append(data[start + 4 : end])
            start = end
        self._rest = data[start:]
        return payloads
