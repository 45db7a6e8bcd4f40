"""What an operator does from the command line, on the same database as the running service."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from services.auth.adapters import sealing, tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.keyring import REREAD_EVERY
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.adapters.member_order import OutboxMemberOrder
from services.auth.application.roles import Roles
from services.auth.application.rotation import Rotation
from services.auth.domain.accounts import ROLES
from services.auth.domain.errors import Refusal
from services.auth.settings import Settings
from services.chassis import metrics, settings, telemetry

Say = Callable[[str], object]
SHORTEST_LEAD = int(2 * REREAD_EVERY)
USUAL_LEAD = 600
"""Seconds: twice as long as the JWK set may be cached."""


def parser() -> argparse.ArgumentParser:
    outer = argparse.ArgumentParser(
        prog="python -m services.auth", description="Without a command: serves auth."
    )
    commands = outer.add_subparsers(dest="command")
    rotate = commands.add_parser("rotate-keys", help="publish a new signing key, and sign with it later")
    rotate.add_argument(
        "--lead",
        type=_lead,
        default=USUAL_LEAD,
        metavar="SECONDS",
        help=f"time from publishing to signing, {USUAL_LEAD} unless said, at least {SHORTEST_LEAD}",
    )
    rotate.add_argument("--wait", action="store_true", help="return when the old key is withdrawn")
    grant = commands.add_parser("grant-role", help="give an account a role")
    grant.add_argument("email")
    grant.add_argument("role", choices=sorted(ROLES))
    return outer


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0 done, 1 refused, 2 a wrong environment."""
    try:
        values = settings.read(Settings, os.environ)
    except settings.SettingsError as fault:
        sys.stderr.write(f"auth cannot start: {fault}\n")
        return 2
    telemetry.configure("auth", values.log_level)
    command = {"rotate-keys": rotate_keys, "grant-role": grant_role}[arguments.command]
    try:
        asyncio.run(command(values, arguments, lambda line: sys.stdout.write(f"{line}\n")))
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    return 0


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
    database = tables.bound(values.auth_database_url)
    accounts = PostgresAccounts(database, OutboxMemberOrder(database))
    async with database.lifespan():
        roles = Roles(accounts=accounts, audit=LoggedAudit(metrics.new_registry()))
        account = await roles.grant(arguments.email, arguments.role)
    say(f"{account.email} is {', '.join(account.roles)}; in tokens from the next refresh or sign-in")


def _lead(text: str) -> int:
    seconds = int(text)
    if seconds < SHORTEST_LEAD:
        raise argparse.ArgumentTypeError(
            f"at least {SHORTEST_LEAD} seconds: running processes must see it first"
        )
    return seconds


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
