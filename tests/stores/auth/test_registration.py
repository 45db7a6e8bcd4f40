"""Registering, and what a member is made of: over HTTP and on real stores."""

import asyncio
from pathlib import Path

import asyncpg
import msgspec
import pytest
from httpx import Response

from services.auth.settings import Settings
from services.chassis.idempotency.fingerprint import fingerprint
from tests.stores.auth.calls import PASSWORD, Client, bearer, mailed_token, register, sign_in


async def test_a_registered_account_signs_in_at_once(client: Client) -> None:
    account = await register(client, "Minji@Example.com")
    assert account["email"] == "minji@example.com"
    assert account["roles"] == ["member"]
    tokens = await sign_in(client, email="minji@EXAMPLE.com", password=PASSWORD)
    me = await client.get("/api/auth/me", headers=bearer(tokens))
    assert me.json() == account


async def test_the_message_of_the_member_is_stored_with_the_account(
    client: Client, settings: Settings
) -> None:
    account = await register(client, "minji@example.com")
    database = await asyncpg.connect(settings.database_url)
    try:
        [message] = await database.fetch(
            "SELECT target, method, path, body FROM outbox WHERE target = 'member'"
        )
    finally:
        await database.close()
    assert (message["target"], message["method"]) == ("member", "PUT")
    assert message["path"] == f"/internal/members/{account['id']}"
    assert msgspec.json.decode(message["body"]) == {"email": "minji@example.com", "name": "Kim Minji"}


async def test_one_address_is_registered_once_however_many_try_together(
    client: Client, settings: Settings
) -> None:
    body = {"email": "minji@example.com", "password": PASSWORD, "name": "Minji"}
    answers = await asyncio.gather(*(client.post("/api/auth/register", json=body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    database = await asyncpg.connect(settings.database_url)
    try:
        assert await database.fetchval("SELECT count(*) FROM outbox WHERE target = 'member'") == 1
    finally:
        await database.close()


async def test_a_key_makes_one_account_and_every_repeat_gets_the_same_answer(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    body = {"email": "minji@example.com", "password": PASSWORD, "name": "Minji"}
    keyed = {"Idempotency-Key": "a-double-click"}

    async def send(**changed: str) -> Response:
        return await client.post("/api/auth/register", json=body | changed, headers=keyed)

    answers = await asyncio.gather(*(send() for _ in range(10)))
    answers.append(await send())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    assert {answer.headers["Location"] for answer in answers} == {"/api/auth/me"}
    # Another password is another request, and the record is no way to try one out: it is keyed.
    other = await send(password="another private sentence")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    database = await asyncpg.connect(settings.database_url)
    try:
        [record] = await database.fetch("SELECT * FROM idempotency")
        assert await database.fetchval("SELECT count(*) FROM outbox WHERE target = 'member'") == 1
    finally:
        await database.close()
    sent = client.build_request("POST", "/api/auth/register", json=body)
    bare = fingerprint("POST", "/api/auth/register", b"", sent.headers["content-type"], sent.content)
    assert len(record["fingerprint"]) == len(bare)
    assert record["fingerprint"] != bare
    assert PASSWORD not in str(dict(record))


async def test_a_refused_registration_leaves_its_key_free(client: Client) -> None:
    body = {"email": "minji@example.com", "password": "short", "name": "Minji"}
    keyed = {"Idempotency-Key": "typed-again"}
    assert (await client.post("/api/auth/register", json=body, headers=keyed)).status_code == 400
    await register(client, "taken@example.com")
    taken = body | {"password": PASSWORD, "email": "taken@example.com"}
    assert (await client.post("/api/auth/register", json=taken, headers=keyed)).status_code == 409
    answer = await client.post("/api/auth/register", json=body | {"password": PASSWORD}, headers=keyed)
    assert answer.status_code == 201


async def test_callers_at_different_addresses_share_no_key(client: Client) -> None:
    keyed = {"Idempotency-Key": "the-same-everywhere"}
    for number in (1, 2):
        body = {"email": f"{number}@example.com", "password": PASSWORD, "name": "Minji"}
        headers = keyed | {"X-Forwarded-For": f"203.0.113.{number}"}
        answer = await client.post("/api/auth/register", json=body, headers=headers)
        assert answer.status_code == 201


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"password": "tiny"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "minji@example.com"}, "password"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "\u200b\u3164\u2800"}, "name"),
        ({"name": "Minji\x1b[2J"}, "name"),
        ({"name": "Minji\x00"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"password": "x" * 1025}, "password"),
    ],
)
async def test_what_is_not_allowed_is_refused_by_field(
    client: Client, changed: dict[str, str], field: str
) -> None:
    body = {"email": "minji@example.com", "password": PASSWORD, "name": "Minji"} | changed
    answer = await client.post("/api/auth/register", json=body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert body["password"] not in answer.text


async def test_members_of_the_body_that_nobody_knows_are_ignored(client: Client) -> None:
    body = {
        "email": "minji@example.com",
        "password": PASSWORD,
        "name": "Minji",
        "roles": ["admin"],
        "id": "x",
    }
    answer = await client.post("/api/auth/register", json=body)
    assert answer.status_code == 201
    assert answer.json()["roles"] == ["member"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"email": 1}', b'{"email": "\\ud800@example.com"}']
)
async def test_a_body_that_is_no_registration_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post(
        "/api/auth/register", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_mailed_link_confirms_the_address_once(client: Client, tmp_path: Path) -> None:
    await register(client, "minji@example.com")
    token = await mailed_token(tmp_path / "mail", "minji@example.com", "/email/verify")
    assert (await client.post("/api/auth/email/verify", json={"token": token})).status_code == 204
    assert (await client.post("/api/auth/email/verify", json={"token": token})).status_code == 400
    tokens = await sign_in(client, email="minji@example.com", password=PASSWORD)
    assert (await client.get("/api/auth/me", headers=bearer(tokens))).json()["email_verified"] is True


@pytest.mark.parametrize("password", ["한국어 암호 문장", "🙂🙃😀😁😂🤣😃😄", " spaces count ", "x9" * 100])
async def test_any_character_may_be_in_a_password(client: Client, password: str) -> None:
    await register(client, "minji@example.com", password=password)
    await sign_in(client, email="minji@example.com", password=password)


async def test_a_name_is_kept_in_one_line(client: Client) -> None:
    body = {"email": "minji@example.com", "password": PASSWORD, "name": " Minji\nBcc:\u202e all@example.com"}
    answer = await client.post("/api/auth/register", json=body)
    assert answer.json()["name"] == "Minji Bcc: all@example.com"
