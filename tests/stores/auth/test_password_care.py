"""Changing and resetting passwords, over HTTP and on real stores."""

import asyncio
from pathlib import Path

import asyncpg

from services.auth.app import build
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from tests.in_process import running
from tests.stores.auth.calls import DEMO, PASSWORD, Client, bearer, is_good, mailed_token, register, sign_in
from tests.waiting import until

NEW = "quite another sentence"
MINJI = {"email": "minji@example.com", "password": PASSWORD}


async def test_a_change_signs_every_other_device_out(client: Client) -> None:
    await register(client, MINJI["email"])
    here, there = await sign_in(client, **MINJI), await sign_in(client, **MINJI)
    change = {"current_password": PASSWORD, "new_password": NEW}
    answer = await client.post("/api/auth/password/change", json=change, headers=bearer(here))
    assert answer.status_code == 204
    assert await is_good(client, here)
    assert not await is_good(client, there)
    assert (await client.post("/api/auth/login", json=MINJI)).status_code == 401
    await sign_in(client, email=MINJI["email"], password=NEW)


async def test_a_change_needs_the_current_password(client: Client) -> None:
    await register(client, MINJI["email"])
    tokens = await sign_in(client, **MINJI)
    change = {"current_password": "not the password", "new_password": NEW}
    answer = await client.post("/api/auth/password/change", json=change, headers=bearer(tokens))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["current_password"]
    await sign_in(client, **MINJI)


async def test_a_change_needs_a_token(client: Client) -> None:
    change = {"current_password": PASSWORD, "new_password": NEW}
    answer = await client.post("/api/auth/password/change", json=change)
    assert answer.status_code == 401


async def test_forgetting_is_answered_alike_for_everybody(client: Client) -> None:
    for email in (DEMO["email"], "nobody@example.com", "no address"):
        answer = await client.post("/api/auth/password/forgot", json={"email": email})
        assert answer.status_code == 202
        assert answer.content in (b"", b"null")


async def test_the_mailed_link_sets_a_password_once_and_signs_every_device_out(
    client: Client, tmp_path: Path
) -> None:
    await register(client, MINJI["email"])
    signed_in = await sign_in(client, **MINJI)
    await client.post("/api/auth/password/forgot", json={"email": MINJI["email"]})
    token = await mailed_token(tmp_path / "mail", MINJI["email"], "/password/reset")
    weak = await client.post("/api/auth/password/reset", json={"token": token, "new_password": "password123"})
    assert weak.status_code == 400
    assert [error["field"] for error in weak.json()["errors"]] == ["new_password"]
    body = {"token": token, "new_password": NEW}
    answers = await asyncio.gather(*(client.post("/api/auth/password/reset", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400, 400]
    assert not await is_good(client, signed_in)
    await sign_in(client, email=MINJI["email"], password=NEW)


async def test_a_link_is_void_once_the_password_changed(client: Client, tmp_path: Path) -> None:
    await register(client, MINJI["email"])
    tokens = await sign_in(client, **MINJI)
    await client.post("/api/auth/password/forgot", json={"email": MINJI["email"]})
    token = await mailed_token(tmp_path / "mail", MINJI["email"], "/password/reset")
    change = {"current_password": PASSWORD, "new_password": NEW}
    await client.post("/api/auth/password/change", json=change, headers=bearer(tokens))
    answer = await client.post(
        "/api/auth/password/reset", json={"token": token, "new_password": "yet another one"}
    )
    assert answer.status_code == 400


async def test_nobodys_mailbox_is_filled(client: Client, tmp_path: Path) -> None:
    await register(client, MINJI["email"])
    for _ in range(8):
        answer = await client.post("/api/auth/password/forgot", json={"email": MINJI["email"]})
        assert answer.status_code == 202

    def links() -> int:
        texts = [file.read_text() for file in (tmp_path / "mail").glob("*.eml")]
        return sum("/password/reset" in text for text in texts)

    await until(lambda: links() >= 4)
    await asyncio.sleep(0.2)  # one too many would be there by now, or soon
    assert links() == 4


async def test_a_hash_of_other_parameters_is_renewed_at_sign_in(environment: dict[str, str]) -> None:
    for parameters in ({"ARGON2_T": "1"}, {"ARGON2_T": "2"}, {"ARGON2_T": "2"}):
        settings = chassis_settings.read(Settings, environment | parameters)
        async with running(build(settings)) as client:
            await sign_in(client)
            stored = await _demo_hash(settings)
            assert f"t={parameters['ARGON2_T']}," in stored


async def _demo_hash(settings: Settings) -> str:
    database = await asyncpg.connect(settings.database_url)
    try:
        return str(
            await database.fetchval("SELECT password_hash FROM account WHERE email = 'test@example.com'")
        )
    finally:
        await database.close()
