"""What a drill asks of a stack whose PostgreSQL has a standby, whichever way both run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.e2e.stack import Stack


@dataclass
class Failover:
    """Moments of the machine's steady clock, in seconds."""

    killed: float
    """When the primary was surely dead."""
    promoted: float


class Ask(Protocol):
    def __call__(self, statement: str, database: str = ..., /) -> str:
        """The answer as text, of one server. Raises where the server refuses."""


class ReplicatedStack(Stack, Protocol):
    """`kill("postgres")` is the end of the primary: it is fenced and its standby promoted. `postgres_url` is that of
    the primary of this moment."""

    @property
    def synchronous(self) -> bool:
        """Whether each commit waits for the standby."""

    @property
    def failovers(self) -> list[Failover]: ...

    def ask(self, statement: str, database: str = ..., /) -> str:
        """Of the primary of this moment."""

    def refusal(self) -> str | None:
        """The former primary, which is down, is started and asked to write: what it says; None where it writes. It is
        down again afterwards."""

    def rejoin(self) -> None:
        """The former primary, which is down, follows the new one."""

    def lose_redis(self) -> None:
        """Redis' data are gone, and it runs again."""

    def restored(self, moment: datetime) -> AbstractContextManager[Ask]:
        """Another server beside what runs, with what was committed before `moment`."""
