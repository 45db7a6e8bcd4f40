"""A primary and its standby, and the one order of steps in which the standby may take over.

Fence, then promote: a primary that comes back after its standby was promoted would take writes that nobody finds again.
"""

from __future__ import annotations

from pathlib import Path

from devstack import unprivileged
from devstack.recovery.archive import Archive
from devstack.recovery.node import Node
from devstack.throwaway import free_ports

BASE = "first"
"""The base backup that a restore begins from."""


class Pair:
    """Two servers on one machine. With `synchronous`, what was committed is on both disks."""

    def __init__(self, directory: Path, password: str, *, synchronous: bool) -> None:
        self.archive = Archive(directory / "archive")
        one, other = free_ports(2)
        self.primary = Node("one", directory, one, password, self.archive)
        self.standby = Node("other", directory, other, password, self.archive)
        self.addresses = f"{self.primary.address},{self.standby.address}"
        self.synchronous = synchronous

    def start(self) -> None:
        """Both, on new data, with a base backup in the archive."""
        self.archive.prepare()
        self.primary.server.prepare()
        self.primary.start()
        self.standby.copy(self.primary)
        self.standby.start()
        self.standby.until_it_follows(self.primary)
        self.primary.base_backup(BASE)
        self._wait_as_wanted()

    def take_over(self) -> None:
        """The standby is the primary from here on. The former one has to be down."""
        self.primary.fence()
        self.standby.promote(self.primary)
        self.primary, self.standby = self.standby, self.primary

    def rejoin(self) -> str:
        """The fenced former primary, which is down, becomes the standby. What was said of it."""
        said = self.standby.rejoin(self.primary)
        self._wait_as_wanted()
        return said

    def discard(self) -> None:
        for node in (self.primary, self.standby):
            node.discard()
        unprivileged.discard(self.archive.directory)

    def _wait_as_wanted(self) -> None:
        self.primary.wait_for(self.standby if self.synchronous else None)
