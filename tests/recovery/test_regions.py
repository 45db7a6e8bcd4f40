"""Two regions on one machine: one takes writes, the other follows its PostgreSQL. The link is cut, and one command
later the other sells on.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devstack import throwaway
from devstack.declaration import declaration
from devstack.postgres import Postgres
from devstack.throwaway import free_port
from tests.e2e import local_stack, people
from tests.e2e.checkouts import Shopper
from tests.e2e.local_stack import LocalStack, directory_log
from tests.recovery.balancer import Balancer, serving
from tests.recovery.lost_redis import Before

WITHIN = 60.0


@contextmanager
def two_regions() -> Iterator[tuple[LocalStack, LocalStack, Balancer]]:
    """The region that takes writes, its standby, and the link between them."""
    with local_stack.running() as here, local_stack.prepared() as there:
        link = Balancer(free_port(), {"here": int(here.environment["POSTGRES_PORT"])})
        shutil.copy(here.directory / "secrets.json", there.directory / "secrets.json")
        there.environment.update(
            DEVSTACK_FOLLOWS=f"127.0.0.1:{link.port}", DEVSTACK_SANDBOX_URL=here.sandbox_url
        )
        with serving(link):
            started = there.devstack("up", "--detach")
            assert started.returncode == 0, f"{started.stderr}\n{directory_log(there.directory)}"
            yield here, there, link


def postgres_of(stack: LocalStack) -> Postgres:
    password = stack.postgres_url.partition("postgres:")[2].partition("@")[0]
    return Postgres(stack.directory / "postgres", int(stack.environment["POSTGRES_PORT"]), password)


def until_followed(here: LocalStack, there: LocalStack) -> None:
    """Until the standby has replayed what the other has committed so far."""
    position = postgres_of(here).ask("postgres", "SELECT pg_current_wal_lsn()").strip()
    replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
    give_up = time.monotonic() + WITHIN
    while postgres_of(there).ask("postgres", replayed).strip() != "t":
        assert time.monotonic() < give_up
        time.sleep(0.05)


def new_member(stack: LocalStack, bearer: dict[str, str]) -> str:
    body = people.new_member()
    headers = {**bearer, "Idempotency-Key": people.new_key()}
    httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers, timeout=30).raise_for_status()
    return body["email"]


def members(stack: LocalStack) -> list[str]:
    return postgres_of(stack).ask("member", "SELECT email FROM member").split()


@pytest.mark.stack
@pytest.mark.timeout(400)
@pytest.mark.skipif("DRILL_REGIONS" not in os.environ, reason="two stacks, a minute: make drill")
def test_a_region_that_is_cut_off_is_failed_over_by_one_command() -> None:
    with two_regions() as (here, there, link):
        admin = people.sign_in(here)
        before = Before.of(here, admin)
        kept = new_member(here, admin.bearer)
        until_followed(here, there)

        link.cut()
        behind = new_member(here, admin.bearer)  # committed there alone: no commit waits for another region
        refused = there.devstack("failover")
        assert refused.returncode == 1 and "nothing was changed" in refused.stderr
        assert postgres_of(there).ask("postgres", "SELECT pg_is_in_recovery()").strip() == "t"

        begun = time.monotonic()
        taken = there.devstack("failover", "--fence", str(here.directory))
        assert taken.returncode == 0, f"{taken.stderr}\n{directory_log(there.directory)}"
        print(f"\n{taken.stdout}{1000 * (time.monotonic() - begun):5.0f} ms  the whole command")

        before.shopper = Shopper(there, before.shopper.headers)
        assert before.check(there) == []
        after = new_member(there, admin.bearer)
        assert {kept, after} <= set(members(there))
        assert behind not in members(there), "the link was cut before it"
        _takes_no_write(here)
        again = there.devstack("failover", "--it-is-down")
        assert again.returncode == 0, again.stderr  # twice is harmless
        _follows_in_its_turn(here, there)


def _takes_no_write(fenced: LocalStack) -> None:
    server = postgres_of(fenced)
    with throwaway.running(server, Path(fenced.directory / "fenced.log")):
        for process in declaration().stored:
            said = server.ask(process.database or "", "SELECT pg_is_in_recovery()")
            assert said.strip() == "t", process.name


def _follows_in_its_turn(fenced: LocalStack, primary: LocalStack) -> None:
    """By the same command that made the other one a standby: what it has is replaced by a copy."""
    fenced.environment["DEVSTACK_FOLLOWS"] = f"127.0.0.1:{primary.environment['POSTGRES_PORT']}"
    started = fenced.devstack("up", "--detach")
    assert started.returncode == 0, f"{started.stderr}\n{directory_log(fenced.directory)}"
    until_followed(primary, fenced)
    assert members(fenced) == members(primary)
