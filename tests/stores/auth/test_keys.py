"""Signing keys in PostgreSQL, their rotation, and the operator's commands."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from click.testing import CliRunner
from joserfc.jws import extract_compact
from prometheus_client import CollectorRegistry

from services.auth import commands
from services.auth.adapters import encryption, tables
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.keyring import Keyring
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.app import build
from services.auth.application.rotation import Rotation
from services.auth.commands import MIGRATIONS
from services.auth.domain.access_tokens import claims
from services.auth.domain.errors import RotationUnderWay
from services.auth.settings import Settings
from services.chassis.migrations import migrate
from tests.in_process import running
from tests.stores.auth.calls import bearer, is_good, sign_in
from tests.stores.auth.command import command

NOW = 1_800_000_000.0
KEY = b"s" * 32


@asynccontextmanager
async def stored(url: str) -> AsyncIterator[PostgresKeys]:
    database = tables.bound(url)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield PostgresKeys(database, KEY)


def signed_by(keyring: Keyring) -> str:
    content = claims(
        issuer="i", audience="a", account=uuid4(), session=uuid4(), roles=[], now=0, lifetime=1, jti=uuid4()
    )
    return str(extract_compact(keyring.sign(content).encode()).headers()["kid"])


def published(keyring: Keyring) -> set[str]:
    return {key["kid"] for key in keyring.published()}


async def test_the_first_key_is_made_once_however_many_start_together(
    new_postgres_database: Callable[[], str],
) -> None:
    async with stored(new_postgres_database()) as keys:
        await asyncio.gather(*(keys.ensure(NOW) for _ in range(8)))
        assert len(await keys.all()) == 1


async def test_private_keys_open_with_the_right_key_alone(
    new_postgres_database: Callable[[], str],
) -> None:
    url = new_postgres_database()
    async with stored(url) as keys:
        await keys.ensure(NOW)
        [key] = await keys.all()
        database = await asyncpg.connect(url)
        row = await database.fetchrow("SELECT * FROM signing_key")
        await database.close()
        assert str(key.private.as_dict(private=True)["d"]) not in str(dict(row))
        assert "d" not in json.loads(row["public"])
        with pytest.raises(encryption.DecryptionFailed, match="AUTH_KEY_ENCRYPTION_KEY"):
            await PostgresKeys(keys._database, b"t" * 32).all()


async def test_a_rotation_publishes_then_signs_then_withdraws(
    new_postgres_database: Callable[[], str],
) -> None:
    clock = [NOW]
    async with stored(new_postgres_database()) as keys:
        keyring = Keyring(keys, outlives=600, clock=lambda: clock[0])
        await keys.ensure(NOW)
        await keyring.reread()
        old = signed_by(keyring)
        rotation = Rotation(
            keys=keys, audit=LoggedAudit(CollectorRegistry()), clock=lambda: clock[0], lead=300, outlives=600
        )
        rotated = await rotation()
        await keyring.reread()
        assert (signed_by(keyring), published(keyring)) == (old, {old, rotated.kid})
        clock[0] = rotated.signs_from
        assert (signed_by(keyring), published(keyring)) == (rotated.kid, {old, rotated.kid})
        clock[0] = rotated.retired_at
        assert (signed_by(keyring), published(keyring)) == (rotated.kid, {rotated.kid})


async def test_one_rotation_at_a_time(new_postgres_database: Callable[[], str]) -> None:
    async with stored(new_postgres_database()) as keys:
        await keys.ensure(NOW)
        rotation = Rotation(
            keys=keys, audit=LoggedAudit(CollectorRegistry()), clock=lambda: NOW, lead=300, outlives=600
        )
        outcomes = await asyncio.gather(*(rotation() for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(outcome, RotationUnderWay) for outcome in outcomes) == 4
        assert len(await keys.all()) == 2


async def test_the_command_begins_a_rotation_and_tokens_stay_good(settings: Settings) -> None:
    async with running(build(settings)) as client:
        before = await sign_in(client)
        status, said = await command(settings, "rotate-keys", "--lead", "30")
        assert status == 0
        assert "published" in said
        status, said = await command(settings, "rotate-keys", "--lead", "30")
        assert status == 1
        assert "under way" in said
    async with running(build(settings)) as client:
        assert await is_good(client, before)
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
        assert len(keys) == 2


async def test_a_key_that_got_out_is_dropped_at_once_and_clients_refresh(settings: Settings) -> None:
    async with running(build(settings)) as client:
        before = await sign_in(client)
    status, said = await command(settings, "rotate-keys", "--at-once")
    assert (status, "every older key is gone" in said) == (0, True)
    async with running(build(settings)) as client:
        assert len((await client.get("/.well-known/jwks.json")).json()["keys"]) == 1
        assert not await is_good(client, before)
        answer = await client.post("/api/auth/refresh", json={"refresh_token": before["refresh_token"]})
        assert await is_good(client, answer.json())


async def test_a_granted_role_is_in_the_next_tokens(settings: Settings) -> None:
    body = {"email": "minji@example.com", "password": "a long and private sentence", "name": "Minji"}
    async with running(build(settings)) as client:
        assert (await client.post("/api/auth/register", json=body)).status_code == 201
        assert (await command(settings, "grant-role", "Minji@example.com", "admin"))[0] == 0
        tokens = await sign_in(client, email=body["email"], password=body["password"])
        answer = await client.get("/api/auth/verify", headers=bearer(tokens))
        assert answer.json()["roles"] == ["admin", "member"]
    status, said = await command(settings, "grant-role", "nobody@example.com", "admin")
    assert status == 1
    assert "no such account" in said


async def test_a_revoked_role_is_in_no_token_that_is_still_good(settings: Settings) -> None:
    body = {"email": "minji@example.com", "password": "a long and private sentence", "name": "Minji"}
    async with running(build(settings)) as client:
        assert (await client.post("/api/auth/register", json=body)).status_code == 201
        without_redis = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:9/0")
        assert (await command(without_redis, "grant-role", "minji@example.com", "admin"))[0] == 0
        tokens = await sign_in(client, email=body["email"], password=body["password"])
        status, said = await command(settings, "revoke-role", "Minji@example.com", "admin")
        assert (status, "minji@example.com is member" in said) == (0, True)
        assert '"event.action":"role_revoked"' in said and '"gatehouse.sessions":1' in said
        assert not await is_good(client, tokens)
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert (await client.post("/api/auth/refresh", json=refresh)).status_code == 401
        tokens = await sign_in(client, email=body["email"], password=body["password"])
        answer = await client.get("/api/auth/verify", headers=bearer(tokens))
        assert answer.json()["roles"] == ["member"]
    status, said = await command(settings, "revoke-role", "nobody@example.com", "admin")
    assert (status, said) == (1, "Error: There is no such account.\n")


def test_a_lead_that_running_processes_could_miss_is_refused() -> None:
    answer = CliRunner().invoke(commands.rotate_keys, ["--lead", str(commands.SHORTEST_LEAD - 1)])
    assert (answer.exit_code, "--lead" in answer.output) == (2, True)
