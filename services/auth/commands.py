"""What an operator does from the command line, on the same database as the running service."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import click

from common import logs
from services.auth.adapters import encryption, tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.keyring import REREAD_EVERY
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.adapters.member_message import OutboxMemberMessage
from services.auth.adapters.revocations_redis import RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.application.roles import Roles
from services.auth.application.rotation import Rotation
from services.auth.domain.accounts import ROLES, Account
from services.auth.domain.errors import Refusal
from services.auth.settings import Settings
from services.chassis import database_commands, metrics
from services.chassis.cli import pass_settings
from services.chassis.migrations import CHASSIS
from services.chassis.postgres import Database
from services.chassis.redis import Redis

MIGRATIONS = (CHASSIS, ("auth", "services.auth.adapters.piccolo_migrations"))

SHORTEST_LEAD = int(2 * REREAD_EVERY)
"""Seconds: running processes must have seen the key before it signs."""
USUAL_LEAD = 600
"""Seconds: twice as long as the JWK set may be cached."""


@click.command("rotate-keys")
@click.option(
    "--lead",
    type=click.IntRange(SHORTEST_LEAD),
    default=USUAL_LEAD,
    show_default=True,
    metavar="SECONDS",
    help="Time from publishing to signing.",
)
@click.option(
    "--at-once",
    is_flag=True,
    help="Drop every old key now, for one that got out; clients have to refresh or sign in again.",
)
@click.option("--wait", is_flag=True, help="Return when the old key is withdrawn.")
@pass_settings
def rotate_keys(settings: Settings, lead: int, at_once: bool, wait: bool) -> None:
    """Publish a new signing key, and sign with it later."""

    async def act(database: Database) -> int:
        rotation = Rotation(
            keys=PostgresKeys(database, encryption.derive_key(settings.master_key, "signing keys at rest")),
            audit=_audit(settings),
            clock=time.time,
            lead=lead,
            outlives=settings.lifetimes.access,
        )
        if at_once:
            click.echo(f"signing with {await rotation.at_once()}; every older key is gone")
            return 0
        rotated = await rotation()
        click.echo(f"published {rotated.kid}")
        click.echo(
            f"signs from {_moment(rotated.signs_from)}; the old key is withdrawn at {_moment(rotated.retired_at)}"
        )
        if wait:
            await asyncio.sleep(rotated.signs_from - time.time())
            click.echo("signing with the new key")
            await asyncio.sleep(rotated.retired_at - time.time())
            click.echo("the old key is withdrawn")
        return 0

    database_commands.run(tables.bound(settings.database_url), _refusing(act))


@click.command("grant-role")
@click.argument("email")
@click.argument("role", type=click.Choice(sorted(ROLES)))
@pass_settings
def grant_role(settings: Settings, email: str, role: str) -> None:
    """Give the account of EMAIL a role."""
    account = _change_roles(settings, lambda roles: roles.grant(email, role))
    click.echo(f"{account.email} is {', '.join(account.roles)}; in tokens from the next refresh or sign-in")


@click.command("revoke-role")
@click.argument("email")
@click.argument("role", type=click.Choice(sorted(ROLES)))
@pass_settings
def revoke_role(settings: Settings, email: str, role: str) -> None:
    """Take a role from the account of EMAIL and end its sessions."""
    account = _change_roles(settings, lambda roles: roles.revoke(email, role))
    said = ", ".join(account.roles) or "without a role"
    click.echo(
        f"{account.email} is {said}; every session has ended, tokens with the role are refused from now on"
    )


COMMANDS = (
    rotate_keys,
    grant_role,
    revoke_role,
    database_commands.migrate_command("auth", *MIGRATIONS),
    database_commands.outbox_commands("auth"),
)


def _change_roles(settings: Settings, change: Callable[[Roles], Awaitable[Account]]) -> Account:
    database, redis = tables.bound(settings.database_url), Redis(settings.redis_url)
    roles = Roles(
        accounts=PostgresAccounts(database, OutboxMemberMessage(database)),
        sessions=PostgresSessions(database, settings.lifetimes),
        revocations=RedisRevocations(redis, settings.lifetimes),
        work=database,
        audit=_audit(settings),
        clock=time.time,
    )

    async def act() -> Account | Refusal:
        async with database.lifespan(), redis.lifespan():
            try:
                return await change(roles)
            except Refusal as refusal:
                # Raised here, Redis' client would make it one of an exception group.
                return refusal

    outcome = asyncio.run(act())
    if isinstance(outcome, Refusal):
        raise click.ClickException(str(outcome))
    return outcome


def _refusing(act: Callable[[Database], Awaitable[int]]) -> Callable[[Database], Awaitable[int]]:
    async def refusing(database: Database) -> int:
        try:
            return await act(database)
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from refusal

    return refusing


def _audit(settings: Settings) -> LoggedAudit:
    logs.configure("auth", settings.log_level)
    return LoggedAudit(metrics.new_registry())


def _moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
