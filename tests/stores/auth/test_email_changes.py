"""Moving an account to another address, over HTTP and on real stores."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.auth.settings import Settings
from services.chassis.postgres import Database
from tests.stores.auth.calls import DEMO, PASSWORD, Client, bearer, is_good, mailed_token, register, sign_in
from tests.stores.auth.conftest import INTERNAL_KEY
from tests.waiting import WITHIN

INTERNAL = {"X-Internal-Key": INTERNAL_KEY}
OLD, NEW = "minji@example.com", "new@example.com"
Tokens = dict[str, Any]


async def ask(client: Client, tokens: Tokens, email: str, password: str = PASSWORD, **headers: str) -> Any:
    body = {"email": email, "current_password": password}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/api/auth/email", json=body, headers=bearer(tokens) | named)


async def open_link(client: Client, token: str) -> int:
    return (await client.post("/api/auth/email/verify", json={"token": token})).status_code


async def me(client: Client, tokens: Tokens) -> dict[str, Any]:
    return dict((await client.get("/api/auth/me", headers=bearer(tokens))).json())


async def told(settings: Settings) -> list[dict[str, Any]]:
    """What member is told, the oldest first."""
    database = Database(settings.database_url, application="test")
    async with database.lifespan():
        rows = await database.fetch("SELECT path, body FROM outbox WHERE target = 'member' ORDER BY id")
    return [{"id": row["path"].rpartition("/")[2], **msgspec.json.decode(row["body"])} for row in rows]


async def test_an_address_is_changed_with_the_password_and_the_new_mailbox(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    account = await register(client, OLD)
    assert account["pending_email"] is None
    here, there = [await sign_in(client, email=OLD, password=PASSWORD) for _ in range(2)]
    assert (await ask(client, here, NEW)).status_code == 202
    link = await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    assert (await me(client, here))["pending_email"] == NEW
    assert await open_link(client, link) == 204
    assert await open_link(client, link) == 400
    moved = await me(client, there)
    assert (moved["email"], moved["email_verified"], moved["pending_email"]) == (NEW, True, None)
    # Whoever changed it knew the password: the other sessions go on.
    assert await is_good(client, here)
    await sign_in(client, email=NEW, password=PASSWORD)
    assert (
        await client.post("/api/auth/login", json={"email": OLD, "password": PASSWORD})
    ).status_code == 401
    assert await told(settings) == [
        {"id": account["id"], "email": OLD, "name": "Kim Minji"},
        {"id": account["id"], "email": NEW, "name": "Kim Minji"},
    ]
    await register(client, OLD)


async def test_an_access_token_alone_changes_no_address(client: Client) -> None:
    await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    wrong = await ask(client, tokens, NEW, "a guess")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "current_password")
    body = {"email": NEW}
    without = await client.post("/api/auth/email", json=body, headers=bearer(tokens))
    assert (without.status_code, without.json()["errors"][0]["field"]) == (400, "current_password")
    assert (await client.post("/api/auth/email", json=body)).status_code == 401
    assert (await client.delete("/api/auth/email")).status_code == 401
    assert (await me(client, tokens))["pending_email"] is None


async def test_a_change_can_be_taken_back(client: Client, tmp_path: Path) -> None:
    await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    await ask(client, tokens, NEW)
    link = await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    for _ in range(2):
        answer = await client.delete("/api/auth/email", headers=bearer(tokens))
        assert (answer.status_code, answer.content) == (204, b"")
    assert await open_link(client, link) == 400
    account = await me(client, tokens)
    assert (account["email"], account["pending_email"]) == (OLD, None)


@pytest.mark.parametrize("way", ["owner", "administrator"])
async def test_of_repeats_with_one_key_one_has_an_effect_and_no_row_has_the_password(
    client: Client, settings: Settings, way: str
) -> None:
    account = await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    admin = await sign_in(client)
    if way == "owner":
        call, who, password = ("POST", "/api/auth/email"), tokens, PASSWORD
    else:
        call, who, password = ("PUT", f"/api/auth/accounts/{account['id']}/email"), admin, DEMO["password"]
    body = {"email": NEW, "current_password": password}

    async def repeat() -> Any:
        return await client.request(*call, json=body, headers=bearer(who) | {"Idempotency-Key": "once"})

    # Whoever comes while the first is under way is told so, and asks again.
    while {409} & {answer.status_code for answer in await asyncio.gather(*(repeat() for _ in range(4)))}:
        await asyncio.sleep(0.02)
    again = await repeat()
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (
        202 if way == "owner" else 204,
        "true",
    )
    other = {"email": "other@example.com", "current_password": password}
    reused = await client.request(*call, json=other, headers=bearer(who) | {"Idempotency-Key": "once"})
    assert reused.status_code == 422
    database = Database(settings.database_url, application="test")
    async with database.lifespan():
        records = await database.fetch("SELECT * FROM idempotency")
        mails = await database.fetch("SELECT count(*) AS n FROM mailed_link WHERE kind LIKE 'email%'")
    assert not [row for row in records if password in str(dict(row))]
    assert mails[0]["n"] <= 2  # the registration's and this one


async def test_a_taken_address_is_refused_and_one_that_is_taken_meanwhile_is_not_moved_to(
    client: Client, tmp_path: Path
) -> None:
    await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    assert (await ask(client, tokens, DEMO["email"])).status_code == 409
    await ask(client, tokens, NEW)
    link = await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    await register(client, NEW)
    assert await open_link(client, link) == 409
    assert (await me(client, tokens))["email"] == OLD


async def test_an_address_that_many_wait_for_is_of_the_first_who_opens_the_link(
    client: Client, tmp_path: Path
) -> None:
    links, sessions = [], []
    for number in range(4):
        email = f"a{number}@example.com"
        await register(client, email)
        sessions.append(await sign_in(client, email=email, password=PASSWORD))
        await ask(client, sessions[-1], NEW)
        async with asyncio.timeout(WITHIN):
            while (link := await mailed_token(tmp_path / "mail", NEW, "/email/verify")) in links:
                await asyncio.sleep(0.02)
        links.append(link)
    assert sorted(await asyncio.gather(*(open_link(client, link) for link in links))) == [204, 409, 409, 409]
    emails = [(await me(client, tokens))["email"] for tokens in sessions]
    assert emails.count(NEW) == 1


async def test_an_administrator_moves_an_account_and_both_addresses_are_told(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    account = await register(client, OLD)
    admin, member = await sign_in(client), await sign_in(client, email=OLD, password=PASSWORD)
    path = f"/api/auth/accounts/{account['id']}/email"

    async def put(tokens: Tokens, email: str, password: str) -> int:
        body = {"email": email, "current_password": password}
        return (await client.put(path, json=body, headers=bearer(tokens))).status_code

    assert await put(member, NEW, PASSWORD) == 403
    assert await put(admin, NEW, "a guess") == 400
    assert await put(admin, DEMO["email"], DEMO["password"]) == 409
    for _ in range(2):
        assert await put(admin, NEW, DEMO["password"]) == 204
    await sign_in(client, email=NEW, password=PASSWORD)
    await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    async with asyncio.timeout(WITHIN):
        while not any(
            f"To: {OLD}" in (text := file.read_text()) and "another e-mail address" in text
            for file in (tmp_path / "mail").glob("*.eml")
        ):
            await asyncio.sleep(0.02)
    assert [message["email"] for message in await told(settings)] == [OLD, NEW]
    nobody = "/api/auth/accounts/00000000-0000-4000-8000-00000000dead/email"
    body = {"email": "a@example.com", "current_password": DEMO["password"]}
    assert (await client.put(nobody, json=body, headers=bearer(admin))).status_code == 404


async def test_a_member_service_of_the_release_before_gets_its_wish_as_a_pending_address(
    client: Client, settings: Settings
) -> None:
    account = await register(client, OLD)
    path = f"/internal/accounts/{account['id']}/email"
    headers = INTERNAL | {"X-Order-Number": "7"}
    for _ in range(2):
        assert (await client.put(path, json={"email": NEW}, headers=headers)).status_code == 204
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    own = await me(client, tokens)
    assert (own["email"], own["pending_email"]) == (OLD, NEW)
    assert [message["email"] for message in await told(settings)] == [OLD, OLD, OLD]
    assert (await client.put(path, json={"email": NEW})).status_code == 401


async def test_a_new_password_by_mail_confirms_the_address_and_takes_a_pending_one_back(
    client: Client, tmp_path: Path
) -> None:
    await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    await ask(client, tokens, NEW)
    link = await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    await client.post("/api/auth/password/forgot", json={"email": OLD})
    body = {
        "token": await mailed_token(tmp_path / "mail", OLD, "/password/reset"),
        "new_password": "quite another sentence",
    }
    assert (await client.post("/api/auth/password/reset", json=body)).status_code == 204
    assert await open_link(client, link) == 400
    account = await me(client, await sign_in(client, email=OLD, password=body["new_password"]))
    assert (account["email_verified"], account["pending_email"]) == (True, None)
