"""`python -m services.NAME outbox list|retry`: for the person who looks after orders that wait or are parked."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.chassis.outbox.store import Order, OutboxStore
from services.chassis.postgres import Database


def run(database_url: str, arguments: Sequence[str]) -> int:
    """Returns the process' exit status."""
    parsed = _parser().parse_args(arguments)
    return asyncio.run(_run(Database(database_url, application="outbox command", pool_max=2), parsed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="outbox", description="Orders that wait for delivery, to other services or by mail."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show orders, the oldest first")
    listing.add_argument("--parked", action="store_true", help="only those that the receiver refuses")
    listing.add_argument("--limit", type=int, default=100)
    retry = commands.add_parser("retry", help="make parked orders due again")
    retry.add_argument("id", type=int, nargs="?", help="one order; all parked ones without it")
    return parser


async def _run(database: Database, parsed: argparse.Namespace) -> int:
    async with database.lifespan():
        store = OutboxStore(database)
        if parsed.command == "list":
            orders = await store.listed(parked_only=parsed.parked, limit=parsed.limit)
            sys.stdout.writelines(line(order) + "\n" for order in orders)
            return 0
        count = await store.unpark(parsed.id)
        sys.stdout.write(f"{count} made due\n")
        return 0 if count or parsed.id is None else 1


def line(order: Order) -> str:
    """One order as one line: no body, which may hold personal data."""
    state = "parked" if order.parked_at else "waiting"
    return (
        f"{order.id}\t{state}\t{order.created_at:%Y-%m-%dT%H:%M:%SZ}\tattempts={order.attempts}\trefusals={order.refusals}\t"
        f"{order.method} {order.target}{order.path}\t{order.last_error}"
    )
