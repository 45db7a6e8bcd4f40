"""A new password and the end of the sessions that had the old one are one change: all of it, or nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.mail_messages import OutboxMail
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.chassis.redis import Redis
from tests.in_process import running
from tests.stores.auth.calls import PASSWORD, Client, bearer, is_good, mailed_token, register, sign_in

MINJI = {"email": "minji@example.com", "password": PASSWORD}
NEW = "quite another sentence"


async def forgotten(client: Client, tmp_path: Path) -> str:
    await client.post("/api/auth/password/forgot", json={"email": MINJI["email"]})
    return await mailed_token(tmp_path / "mail", MINJI["email"], "/password/reset")


@pytest.mark.parametrize("way", ["change", "reset"])
@pytest.mark.parametrize(
    "step",
    [(PostgresAccounts, "set_password"), (OutboxMail, "enqueue"), (PostgresSessions, "end_all")],
)
async def test_whatever_fails_on_the_way_nothing_has_changed(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[type, str], way: str
) -> None:
    await register(client, MINJI["email"])
    here, there = await sign_in(client, **MINJI), await sign_in(client, **MINJI)
    secret = await forgotten(client, tmp_path)
    part, names = step
    with monkeypatch.context() as dying:
        for name in names.split():
            dying.setattr(part, name, _dies_after(getattr(part, name)))
        answer = await _act(client, way, here, secret)
        assert answer == 500
    assert await is_good(client, here)
    assert await is_good(client, there)
    await sign_in(client, **MINJI)
    assert await _act(client, way, here, secret) == 204  # the link is still good
    assert not await is_good(client, there)
    await sign_in(client, email=MINJI["email"], password=NEW)


def _dies_after(step: Any) -> Any:
    async def died(*given: Any, **named: Any) -> None:
        await step(*given, **named)
        raise RuntimeError("auth died here")

    return died


async def _act(client: Client, way: str, tokens: dict[str, Any], secret: str) -> int:
    if way == "change":
        body = {"current_password": PASSWORD, "new_password": NEW}
        answer = await client.post("/api/auth/password/change", json=body, headers=bearer(tokens))
    else:
        answer = await client.post("/api/auth/password/reset", json={"token": secret, "new_password": NEW})
    return answer.status_code


async def test_no_sign_in_with_the_old_password_outlives_its_change(client: Client) -> None:
    await register(client, MINJI["email"])
    here = await sign_in(client, **MINJI)
    change = {"current_password": PASSWORD, "new_password": NEW}

    async def meanwhile() -> dict[str, Any] | None:
        answer = await client.post("/api/auth/login", json=MINJI)
        assert answer.status_code in {200, 401, 429}
        return dict(answer.json()) if answer.status_code == 200 else None

    changing, *opened = await asyncio.gather(
        client.post("/api/auth/password/change", json=change, headers=bearer(here)),
        *(meanwhile() for _ in range(12)),
    )
    assert changing.status_code == 204
    assert [await is_good(client, one) for one in opened if one] == [False] * sum(map(bool, opened))
    items = (await client.get("/api/auth/sessions", headers=bearer(here))).json()["items"]
    assert [item["current"] for item in items] == [True]


async def test_a_mailed_link_works_and_works_once_when_redis_has_lost_everything(
    app: Litestar, redis: Redis, tmp_path: Path
) -> None:
    async with running(app) as client:
        await register(client, MINJI["email"])
        secret = await forgotten(client, tmp_path)
        confirms = await mailed_token(tmp_path / "mail", MINJI["email"], "/email/verify")
        await redis.client.flushall()
        assert await _act(client, "reset", {}, secret) == 204
        assert (await client.post("/api/auth/email/verify", json={"token": confirms})).status_code == 204
        await redis.client.flushall()
        assert await _act(client, "reset", {}, secret) == 400
        assert (await client.post("/api/auth/email/verify", json={"token": confirms})).status_code == 400


async def test_sessions_live_on_when_redis_has_lost_everything_and_ended_ones_do_not(
    client: Client, redis: Redis
) -> None:
    living, ended = await sign_in(client), await sign_in(client)
    await client.post("/api/auth/logout", headers=bearer(ended))
    await redis.client.flushall()
    assert await is_good(client, living)
    assert not await is_good(client, ended)
    for tokens, status in ((living, 200), (ended, 401)):
        answer = await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == status
