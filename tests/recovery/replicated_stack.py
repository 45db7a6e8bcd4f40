"""devstack on a PostgreSQL and its standby, one of which may die: the services find the primary by themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from devstack.declaration import declaration
from devstack.recovery.pair import Pair
from devstack.secret_store import load_or_create
from tests.e2e import local_stack
from tests.e2e.local_stack import LocalStack, directory_log


@dataclass
class Failover:
    """Moments of the machine's steady clock, in seconds."""

    killed: float
    promoted: float


@dataclass(frozen=True)
class ReplicatedStack(LocalStack):
    pair: Pair
    failovers: list[Failover]

    @property
    def postgres_url(self) -> str:
        """Of the primary of this moment."""
        server = self.pair.primary.server
        return f"postgresql://postgres:{server.password}@{self.pair.primary.address}"

    def kill(self, name: str) -> None:
        """Of PostgreSQL the primary, as if its machine was gone: nothing starts it again, its standby takes over."""
        if name != "postgres":
            super().kill(name)
            return
        killed = time.monotonic()
        self.pair.primary.kill()
        self.pair.take_over()
        self.failovers.append(Failover(killed, time.monotonic()))


@contextmanager
def running(*, synchronous: bool) -> Iterator[ReplicatedStack]:
    with local_stack.prepared() as plain:
        secrets = load_or_create(plain.directory / "secrets.json")
        pair = Pair(plain.directory, secrets["postgres_password"], synchronous=synchronous)
        plain.environment["DEVSTACK_POSTGRES"] = pair.addresses
        stack = ReplicatedStack(**vars(plain), pair=pair, failovers=[])
        try:
            pair.start()
            pair.primary.server.create_databases(declaration().stored, secrets)
            started = stack.devstack("up", "--detach")
            assert started.returncode == 0, f"{started.stderr}\n{directory_log(stack.directory)}"
            yield stack
        finally:
            stack.devstack("down")
            pair.discard()
