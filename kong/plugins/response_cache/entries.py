"""The answers that a process keeps: bounded in bytes, the least used leaving first."""

from collections import OrderedDict

from kong.plugins.response_cache.storing import Kept
from kong.plugins.response_cache.tags import AsOf
from kong.plugins.runtime.pdk import ConstantHeaders

OVERHEAD = 1024
"""Bytes that an entry takes beside its body, headers and tags, about."""
TAG_OVERHEAD = 120
"""The same of each tag: a text of its own, and its place in a set."""


class Entry:
    """`stored_at` in seconds of the process' clock; `headers` are those of the answer, as Kong reads them."""

    __slots__ = ("as_of", "headers", "kept", "stored_at")

    def __init__(self, kept: Kept, as_of: AsOf, stored_at: float) -> None:
        self.kept = kept
        self.as_of = as_of
        self.stored_at = stored_at
        self.headers = ConstantHeaders(kept.headers)

    def age(self, now: float) -> float:
        return max(0.0, now - self.stored_at)


class Entries:
    """By key."""

    def __init__(self, capacity: int) -> None:
        self.bytes = 0
        self._capacity = capacity
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()

    def get(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        self.drop(key)
        size = _size(entry.kept)
        if size > self._capacity:
            return
        self._entries[key] = entry
        self.bytes += size
        while self.bytes > self._capacity:
            self.drop(next(iter(self._entries)))

    def drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= _size(entry.kept)

    def clear(self) -> None:
        self._entries.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)


def _size(kept: Kept) -> int:
    headers = sum(len(name) + len(str(value)) for name, value in kept.headers.items())
    tags = sum(len(tag) + TAG_OVERHEAD for tag in kept.tags)
    return OVERHEAD + len(kept.body) + 2 * headers + tags  # headers are kept as Kong reads them, too
