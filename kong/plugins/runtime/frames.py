"""Kong's framing: a 4-byte little-endian length, then that many bytes (ProtoBuf:1, `pb_rpc.lua`)."""

from __future__ import annotations

from struct import Struct

_LENGTH = Struct("<I")

EMPTY = b"\0\0\0\0"
"""The frame of an empty message: "no argument", "no answer" and, as a method's name, "the event is over"."""


def frame(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


class Frames:
    """Cuts a stream into frames.

    At most one incomplete frame is held, and of that no more than `limit` bytes (of payload): a frame that announces
    more is reported at once and thrown away as it comes.
    """

    __slots__ = ("_expected", "_held", "_limit", "_size", "_throw_away")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._expected = 4
        self._throw_away = 0

    @property
    def incomplete(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._size > 0 or self._throw_away > 0

    def whole(self, data: bytes) -> bytes | None:
        """The payload, if this is one whole frame, or all of one but its length; `feed` takes everything else.

        Kong writes the two one after the other, so that they arrive together or apart.
        """
        size = len(data) - 4
        if not self._size and not self._throw_away:
            if size < 0 or size > self._limit or _LENGTH.unpack_from(data)[0] != size:
                return None
            return data[4:]
        if self._size == 4 and self._expected == 8 + size:
            self._held.clear()
            self._size = 0
            return data
        return None

    def feed(self, data: bytes) -> list[bytes | None]:
        """The payloads that are complete now, in order; None where a frame is over the limit."""
        if self._throw_away:
            gone = min(self._throw_away, len(data))
            self._throw_away -= gone
            data = data[gone:]
        if self._size:
            # A large frame comes in many pieces: they are joined once, when the last is here.
            self._held.append(data)
            self._size += len(data)
            if self._size < self._expected:
                return []
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes | None]:
        payloads: list[bytes | None] = []
        start = 0
        size = len(data)
        while size - start >= 4:
            (length,) = _LENGTH.unpack_from(data, start)
            end = start + 4 + length
            if length > self._limit:
                payloads.append(None)
                self._throw_away = max(end - size, 0)
                start = min(end, size)
                continue
            if end > size:
                break
            payloads.append(data[start + 4 : end])
            start = end
        if start < size:
            self._hold(data[start:])
        return payloads

    def _hold(self, rest: bytes) -> None:
        self._held.append(rest)
        self._size = len(rest)
        self._expected = 4 + _LENGTH.unpack_from(rest)[0] if self._size >= 4 else 4
