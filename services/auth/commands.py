"""What an operator does from the command line, on the same database as the running service."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from common import logs
from services.auth.adapters import sealing, tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.keyring import REREAD_EVERY
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.adapters.member_message import OutboxMemberMessage
from services.auth.adapters.revocations_redis import RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.app import MIGRATIONS
from services.auth.application.roles import Roles
from services.auth.application.rotation import Rotation
from services.auth.domain.accounts import ROLES
from services.auth.domain.errors import Refusal
from services.auth.settings import Settings
from services.chassis import metrics
from services.chassis.migrations import migrate
from services.chassis.outbox import command as outbox_command
from services.chassis.redis import Redis

Say = Callable[[str], object]
SHORTEST_LEAD = int(2 * REREAD_EVERY)
USUAL_LEAD = 600
"""Seconds: twice as long as the JWK set may be cached."""


Command = Callable[[Settings, argparse.Namespace, Say], Coroutine[None, None, None]]


def command(act: Command, parser: argparse.ArgumentParser) -> Callable[[Settings, Sequence[str]], int]:
    """`act` as chassis.serve wants it: settings and arguments to an exit status, 1 where it is refused."""

    def run(settings: Settings, arguments: Sequence[str]) -> int:
        logs.configure("auth", settings.log_level)
        parsed = parser.parse_args(arguments)
        try:
            asyncio.run(act(settings, parsed, lambda line: sys.stdout.write(f"{line}\n")))
        except Refusal as refusal:
            sys.stderr.write(f"{refusal}\n")
            return 1
        return 0

    return run


def rotate_keys_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m services.auth rotate-keys")
    parser.description = "Publish a new signing key, and sign with it later."
    parser.add_argument(
        "--lead",
        type=_lead,
        default=USUAL_LEAD,
        metavar="SECONDS",
        help=f"time from publishing to signing, {USUAL_LEAD} unless said, at least {SHORTEST_LEAD}",
    )
    parser.add_argument(
        "--at-once",
        action="store_true",
        help="drop every old key now, for one that got out; clients have to refresh or sign in again",
    )
    parser.add_argument("--wait", action="store_true", help="return when the old key is withdrawn")
    return parser


def grant_role_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m services.auth grant-role")
    parser.description = "Give an account a role."
    parser.add_argument("email")
    parser.add_argument("role", choices=sorted(ROLES))
    return parser


def revoke_role_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m services.auth revoke-role")
    parser.description = "Take a role from an account and end its sessions."
    parser.add_argument("email")
    parser.add_argument("role", choices=sorted(ROLES))
    return parser


async def rotate_keys(values: Settings, arguments: argparse.Namespace, say: Say) -> None:
    database = tables.bound(values.auth_database_url)
    rotation = Rotation(
        keys=PostgresKeys(database, sealing.derive(values.master_key, "signing keys at rest")),
        audit=LoggedAudit(metrics.new_registry()),
        clock=time.time,
        lead=arguments.lead,
        outlives=values.lifetimes.access,
    )
    async with database.lifespan():
        if arguments.at_once:
            say(f"signing with {await rotation.at_once()}; every older key is gone")
            return
        rotated = await rotation()
    say(f"published {rotated.kid}")
    say(
        f"signs from {_moment(rotated.signs_from)}; the old key is withdrawn at {_moment(rotated.retired_at)}"
    )
    if arguments.wait:
        await asyncio.sleep(rotated.signs_from - time.time())
        say("signing with the new key")
        await asyncio.sleep(rotated.retired_at - time.time())
        say("the old key is withdrawn")


async def grant_role(values: Settings, arguments: argparse.Namespace, say: Say) -> None:
    async with _roles(values) as roles:
        account = await roles.grant(arguments.email, arguments.role)
    say(f"{account.email} is {', '.join(account.roles)}; in tokens from the next refresh or sign-in")


async def revoke_role(values: Settings, arguments: argparse.Namespace, say: Say) -> None:
    async with _roles(values) as roles:
        account = await roles.revoke(arguments.email, arguments.role)
    said = ", ".join(account.roles) or "without a role"
    say(f"{account.email} is {said}; every session has ended, tokens with the role are refused from now on")


@asynccontextmanager
async def _roles(values: Settings) -> AsyncIterator[Roles]:
    database, redis = tables.bound(values.auth_database_url), Redis(values.redis_url)
    roles = Roles(
        accounts=PostgresAccounts(database, OutboxMemberMessage(database)),
        sessions=PostgresSessions(database, values.lifetimes),
        revocations=RedisRevocations(redis.client, values.lifetimes),
        work=database,
        audit=LoggedAudit(metrics.new_registry()),
        clock=time.time,
    )
    refused = None
    async with database.lifespan(), redis.lifespan():
        try:
            yield roles
        except Refusal as refusal:
            # Kept until Redis' client is closed, which would make it one of an exception group.
            refused = refusal
    if refused is not None:
        raise refused


async def migrate_now(values: Settings, _: argparse.Namespace, say: Say) -> None:
    database = tables.bound(values.auth_database_url)
    async with database.lifespan():
        ran = await migrate(database, *MIGRATIONS)
    say(f"ran {', '.join(ran)}" if ran else "nothing to do")


def migrate_parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        "python -m services.auth migrate", description="What every start does, by itself."
    )


def _lead(text: str) -> int:
    seconds = int(text)
    if seconds < SHORTEST_LEAD:
        raise argparse.ArgumentTypeError(
            f"at least {SHORTEST_LEAD} seconds: running processes must see it first"
        )
    return seconds


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")


COMMANDS: Mapping[str, Callable[[Settings, Sequence[str]], int]] = {
    "rotate-keys": command(rotate_keys, rotate_keys_parser()),
    "migrate": command(migrate_now, migrate_parser()),
    "grant-role": command(grant_role, grant_role_parser()),
    "revoke-role": command(revoke_role, revoke_role_parser()),
    "outbox": lambda settings, arguments: outbox_command.run(settings.auth_database_url, arguments),
}
"""What `python -m services.auth NAME …` does in place of serving."""
