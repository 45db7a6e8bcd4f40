"""`python -m services.NAME outbox list|retry`: for whoever looks after messages that wait, and dead letters."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.chassis.outbox.store import OutboxMessage, OutboxStore
from services.chassis.postgres import Database


def run(database_url: str, arguments: Sequence[str]) -> int:
    """Returns the process' exit status."""
    parsed = _parser().parse_args(arguments)
    return asyncio.run(_run(Database(database_url, application="outbox command", pool_max=2), parsed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="outbox", description="Messages that wait for delivery, to other services or by mail."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="show messages, the oldest first")
    listing.add_argument("--dead", action="store_true", help="only those that the receiver refuses")
    listing.add_argument("--limit", type=int, default=100)
    retry = commands.add_parser("retry", help="make dead letters due again")
    retry.add_argument("id", type=int, nargs="?", help="one message; all dead letters without it")
    return parser


async def _run(database: Database, parsed: argparse.Namespace) -> int:
    async with database.lifespan():
        store = OutboxStore(database)
        if parsed.command == "list":
            messages = await store.listed(dead_only=parsed.dead, limit=parsed.limit)
            sys.stdout.writelines(line(message) + "\n" for message in messages)
            return 0
        count = await store.retry_dead_letters(parsed.id)
        sys.stdout.write(f"{count} made due\n")
        return 0 if count or parsed.id is None else 1


def line(message: OutboxMessage) -> str:
    """One message as one line: no body, which may hold personal data."""
    state = "dead_letter" if message.dead_letter_at else "waiting"
    return (
        f"{message.id}\t{state}\t{message.created_at:%Y-%m-%dT%H:%M:%SZ}\tattempts={message.attempts}\trefusals={message.refusals}\t"
        f"{message.method} {message.target}{message.path}\t{message.last_error}"
    )
