"""devstack on a PostgreSQL and its standby, one of which may die: the services find the primary by themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from devstack.declaration import declaration
from devstack.errors import PrepareError
from devstack.postgres import SUPERUSER
from devstack.recovery import pair, point_in_time
from devstack.recovery.pair import Pair
from devstack.secret_store import load_or_create
from devstack.throwaway import free_port
from tests.e2e import local_stack
from tests.e2e.local_stack import LocalStack, directory_log
from tests.recovery import lost_redis
from tests.recovery.replicated import Ask, Failover


@dataclass(frozen=True)
class ReplicatedProcesses(LocalStack):
    pair: Pair
    failovers: list[Failover]

    @property
    def synchronous(self) -> bool:
        return self.pair.synchronous

    @property
    def postgres_url(self) -> str:
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

    def ask(self, statement: str, database: str = SUPERUSER, /) -> str:
        return self.pair.primary.ask(statement, database)

    def refusal(self) -> str | None:
        former = self.pair.standby
        former.start()
        try:
            former.ask("UPDATE member SET name = name", "member")
        except PrepareError as refusal:
            return str(refusal).removeprefix("psql failed: ")
        finally:
            former.kill()
        return None

    def rejoin(self) -> None:
        self.pair.rejoin()

    def lose_redis(self) -> None:
        lost_redis.lose(self)

    @contextmanager
    def restored(self, moment: datetime) -> Iterator[Ask]:
        self.pair.primary.archive_now()
        password = self.pair.primary.server.password
        node = point_in_time.restored(
            self.pair.archive, pair.BASE, moment, self.directory, free_port(), password
        )
        try:
            yield node.ask
        finally:
            node.discard()


@contextmanager
def running(*, synchronous: bool) -> Iterator[ReplicatedProcesses]:
    with local_stack.prepared() as plain:
        secrets = load_or_create(plain.directory / "secrets.json")
        both = Pair(plain.directory, secrets["postgres_password"], synchronous=synchronous)
        plain.environment["DEVSTACK_POSTGRES"] = both.addresses
        stack = ReplicatedProcesses(**vars(plain), pair=both, failovers=[])
        try:
            both.start()
            both.primary.server.create_databases(declaration().stored, secrets)
            started = stack.devstack("up", "--detach")
            assert started.returncode == 0, f"{started.stderr}\n{directory_log(stack.directory)}"
            yield stack
        finally:
            stack.devstack("down")
            both.discard()
