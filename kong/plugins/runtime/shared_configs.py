"""The configurations that Kong has started, in memory that all workers share.

Kong starts an instance in whichever worker it reaches and then sends events to any of them, so a worker that meets an
instance id for the first time looks here. The memory has no name (memfd): nothing is left when the processes are gone.
A log of records, appended under a lock and never read on a hot path; when full, it starts over with what is live.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct

LIMIT = 8 * 1024 * 1024
"""Bytes of records; thousands of configurations."""

_HEADER = Struct("<QQ")  # generation of the log, where it ends
_RECORD = Struct("<IiB")  # length of what follows, instance id, started or closed
_STARTED, _CLOSED = 1, 0


def create() -> int:
    """A new empty log: a file descriptor for the workers to inherit."""
    descriptor = anonymous_file("kong-plugin-instances")
    os.pwrite(descriptor, _HEADER.pack(0, _HEADER.size), 0)
    return descriptor


def anonymous_file(name: str) -> int:
    """Memory with a file descriptor and no path; on systems without memfd, a file that is unlinked already."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SharedConfigs:
    """One worker's view of the log."""

    def __init__(self, descriptor: int, limit: int = LIMIT) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._generation = 0
        self._read_to = _HEADER.size
        self._live: dict[int, bytes] = {}

    def find(self, instance: int) -> bytes | None:
        """The configuration of an instance id, read anew if this worker has not seen it."""
        found = self._live.get(instance)
        if found is None:
            with self._locked():
                self._read()
            found = self._live.get(instance)
        return found

    def all(self) -> dict[int, bytes]:
        """Every configuration that is live now."""
        with self._locked():
            self._read()
        return dict(self._live)

    def add(self, instance: int, config: bytes) -> None:
        with self._locked():
            self._read()
            if self._live.get(instance) != config:
                self._append(instance, _STARTED, config)

    def remove(self, instance: int) -> None:
        with self._locked():
            self._read()
            if instance in self._live:
                self._append(instance, _CLOSED, b"")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Held for microseconds, and released by the kernel if its holder dies.
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _read(self) -> None:
        generation, end = _HEADER.unpack(os.pread(self._descriptor, _HEADER.size, 0))
        if generation != self._generation:
            self._generation, self._read_to = generation, _HEADER.size
            self._live.clear()
        records = os.pread(self._descriptor, end - self._read_to, self._read_to)
        at = 0
        while at < len(records):
            length, instance, kind = _RECORD.unpack_from(records, at)
            at += _RECORD.size
            self._apply(instance, kind, records[at : at + length])
            at += length
        self._read_to = end

    def _append(self, instance: int, kind: int, config: bytes) -> None:
        record = _RECORD.pack(len(config), instance, kind) + config
        if self._read_to + len(record) > self._limit:
            self._start_over(len(record))
        os.pwrite(self._descriptor, record, self._read_to)
        self._read_to += len(record)
        os.pwrite(self._descriptor, _HEADER.pack(self._generation, self._read_to), 0)
        self._apply(instance, kind, config)

    def _start_over(self, room: int) -> None:
        """Keep the live records, the oldest excepted where they fill more than half: Kong starts those again."""
        budget = self._limit // 2 - room
        kept: list[tuple[int, bytes]] = []
        for instance, config in reversed(self._live.items()):
            budget -= _RECORD.size + len(config)
            if budget < 0:
                break
            kept.append((instance, config))
        self._live = dict(reversed(kept))
        records = b"".join(_RECORD.pack(len(c), i, _STARTED) + c for i, c in self._live.items())
        os.pwrite(self._descriptor, records, _HEADER.size)
        self._generation += 1
        self._read_to = _HEADER.size + len(records)

    def _apply(self, instance: int, kind: int, config: bytes) -> None:
        self._live.pop(instance, None)
        if kind == _STARTED:
            self._live[instance] = config
