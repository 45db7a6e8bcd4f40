"""One service's database is restored to an earlier moment than the others': what mends itself, what is reported, and
which command mends the rest (docs/runbooks/recovery-one-database.md).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from devstack.postgres import Postgres
from devstack.settings import ROOT
from tests.e2e import people
from tests.e2e.checkouts import Product, Shopper, available, charges, stocked
from tests.e2e.local_stack import LocalStack
from tests.e2e.money.books import query
from tests.e2e.money.plan import GOOD
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

UNITS = 20


@pytest.fixture
def local(stack: Stack) -> LocalStack:
    if not isinstance(stack, LocalStack):
        pytest.skip("the stack runs in containers; the steps are the same there (docs/runbooks)")
    return stack


@pytest.fixture
def product(local: LocalStack, admin: Tokens) -> Product:
    return stocked(local, admin, units=UNITS)


def paid(shopper: Shopper, product: Product) -> str:
    order = shopper.held(product)
    shopper.card(shopper.page(order), GOOD)
    shopper.becomes(order, "paid")
    return order


class Restored:
    """One database as it was when the block began, beside others that went on. Times are UTC."""

    def __init__(self, stack: LocalStack, service: str, database: str, file: Path) -> None:
        self._stack, self._service, self._database, self._file = stack, service, database, file
        port = int(stack.environment["POSTGRES_PORT"])
        password = stack.postgres_url.partition("postgres:")[2].partition("@")[0]
        self._server = Postgres(stack.directory / "postgres", port, password)
        self.moment = datetime.now(UTC)
        self._server.dump(database, file)

    @contextmanager
    def service_down(self) -> Iterator[None]:
        """Inside, the database is the earlier one and its service is not up yet."""
        self._stack.stop(self._service)
        skip_numbers = (ROOT / "deploy/postgres/skip-numbers.sql").read_text()
        self._server.load({self._database: self._file}, skip_numbers)
        self._server.put_in_place([self._database])
        self._server.drop_aside()
        try:
            yield
        finally:
            self._stack.restart(self._service)

    def since(self) -> tuple[str, str]:
        return "--since", self.moment.isoformat()


def run(stack: LocalStack, *command: str, stdin: str = "", status: int = 0) -> str:
    """A service's own command, as an operator gives it."""
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "run", *command],
        cwd=ROOT,
        env=stack.environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


async def test_orders_that_order_has_lost_are_named_and_their_goods_and_money_given_back(
    local: LocalStack, admin: Tokens, product: Product, tmp_path: Path
) -> None:
    alice, bob, carol = Shopper(local), Shopper(local), Shopper(local)
    known = alice.held(product)
    earlier = Restored(local, "order", "orders", tmp_path / "orders.dump")
    alice.card(alice.page(known), GOOD)
    alice.becomes(known, "paid")
    lost, lost_unpaid = paid(bob, product), carol.held(product)
    lost_number = bob.order(lost)["number"]

    with earlier.service_down():
        held = run(local, "catalog", "reservations", *earlier.since())
        money = run(local, "payment", "orders", *earlier.since())
        assert known in held and lost_unpaid in held and lost_unpaid not in money
        assert set(run(local, "order", "unknown", stdin=held + money, status=1).split()) == {
            lost,
            lost_unpaid,
        }
        run(local, "catalog", "release", lost, lost_unpaid)
        run(local, "payment", "give-up", lost)

    assert alice.order(known)["state"] == "held"  # as it was; then its time is over
    await query(local, "orders", "UPDATE orders SET hold_until = now() WHERE id = $1", UUID(known))
    alice.becomes(known, "expired")
    for order in (known, lost):
        await until_given_back(local, order)
    assert available(local, admin, product) == UNITS

    # What payment tells of the lost order is refused: reported as a dead letter, and forgotten by a person.
    waiting = [line for line in run(local, "payment", "outbox", "list").splitlines() if lost in line]
    assert waiting and "status 404" in waiting[0]
    await query(local, "payments", "UPDATE outbox SET dead_letter_at = now() WHERE path LIKE $1", f"%{lost}%")
    run(local, "payment", "outbox", "forget", *(line.split()[0] for line in waiting))
    again = alice.held(product)
    assert alice.order(again)["number"] > lost_number, "the number of a lost order was given once more"


async def until_given_back(stack: LocalStack, order: str) -> None:
    """Until the provider has given back all that it collected for this order."""
    async with asyncio.timeout(60):
        while any(each["captured"] != each["refunded"] for each in charges(stack, order)):
            await asyncio.sleep(0.1)


async def test_charges_that_payment_has_lost_are_reported_and_adopted_from_the_provider(
    local: LocalStack, product: Product, admin: Tokens, tmp_path: Path
) -> None:
    dan, erin = Shopper(local), Shopper(local)
    begun = dan.held(product)
    page = dan.page(begun)
    earlier = Restored(local, "payment", "payments", tmp_path / "payments.dump")
    dan.card(page, GOOD)
    dan.becomes(begun, "paid")
    lost = paid(erin, product)

    with earlier.service_down():
        reported = run(local, "payment", "reconcile", "--days", "1", status=1)
        assert f"of order {lost}: provider" in reported and f"of order {begun}: provider" in reported
        assert f"adopted {lost}\n1 adopted" in run(local, "payment", "adopt", *earlier.since())
    async with asyncio.timeout(60):
        while await captured(local, begun, lost) != 2:
            await asyncio.sleep(0.1)
    run(local, "payment", "reconcile", "--days", "1")
    run(local, "order", "restate", *earlier.since())
    assert [dan.order(begun)["state"], erin.order(lost)["state"]] == ["paid", "paid"]
    assert [len(charges(local, order)) for order in (begun, lost)] == [1, 1]


async def captured(stack: LocalStack, *orders: str) -> int:
    rows = await query(
        stack,
        "payments",
        "SELECT 1 FROM payment WHERE order_id = ANY($1) AND state = 'captured'",
        [UUID(order) for order in orders],
    )
    return len(rows)


async def test_stock_that_catalog_has_lost_is_taken_again_when_the_orders_are_restated(
    local: LocalStack, product: Product, admin: Tokens, tmp_path: Path
) -> None:
    fay, gus, hal = Shopper(local), Shopper(local), Shopper(local)
    begun = fay.held(product)
    earlier = Restored(local, "catalog", "catalog", tmp_path / "catalog.dump")
    fay.card(fay.page(begun), GOOD)
    fay.becomes(begun, "paid")
    paid(gus, product)
    unpaid = hal.held(product)

    with earlier.service_down():
        pass
    assert available(local, admin, product) == UNITS - 1, (
        "catalog knows of one hold: two units could be sold twice"
    )
    run(local, "order", "restate", *earlier.since())
    async with asyncio.timeout(60):
        while available(local, admin, product) != UNITS - 3:
            await asyncio.sleep(0.1)
    run(local, "catalog", "audit-stock")
    hal.call("POST", f"/api/orders/{unpaid}/cancel", key=people.new_key())
    hal.becomes(unpaid, "cancelled")
    assert available(local, admin, product) == UNITS - 2
