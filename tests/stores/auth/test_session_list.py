"""Seeing where one is signed in and ending it; and disabling an account. Over HTTP and on real stores."""

from uuid import UUID, uuid4

import pytest

from services.auth.settings import Settings
from services.chassis.postgres import Database
from tests.stores.auth.calls import PASSWORD, Client, bearer, is_good, register, sign_in
from tests.stores.auth.conftest import INTERNAL_KEY

DEMO_ID = "00000000-0000-4000-8000-000000000001"
INTERNAL = {"X-Internal-Key": INTERNAL_KEY}


async def test_the_list_tells_devices_apart_and_names_the_current_one(client: Client) -> None:
    phone = (
        await client.post(
            "/api/auth/login",
            json={"email": "test@example.com", "password": "password123"},
            headers={"User-Agent": "Phone"},
        )
    ).json()
    desk = await sign_in(client)
    items = (await client.get("/api/auth/sessions", headers=bearer(desk))).json()["items"]
    assert [item["current"] for item in items].count(True) == 1
    assert {item["device"] for item in items} >= {"Phone"}
    assert all(
        set(item) == {"id", "device", "address", "created_at", "last_seen_at", "current"} for item in items
    )
    phones = next(item["id"] for item in items if item["device"] == "Phone")
    assert (await client.delete(f"/api/auth/sessions/{phones}", headers=bearer(desk))).status_code == 204
    assert not await is_good(client, phone)
    assert await is_good(client, desk)
    assert (await client.delete(f"/api/auth/sessions/{phones}", headers=bearer(desk))).status_code == 404


async def test_somebody_elses_session_cannot_be_ended(client: Client) -> None:
    await register(client, "minji@example.com")
    mine = await sign_in(client, email="minji@example.com", password=PASSWORD)
    theirs = await sign_in(client)
    sid = (await client.get("/api/auth/verify", headers=bearer(theirs))).json()["sid"]
    assert (await client.delete(f"/api/auth/sessions/{sid}", headers=bearer(mine))).status_code == 404
    assert await is_good(client, theirs)


async def test_all_other_sessions_end_at_once(client: Client) -> None:
    others = [await sign_in(client) for _ in range(3)]
    here = await sign_in(client)
    assert (await client.delete("/api/auth/sessions", headers=bearer(here))).status_code == 204
    assert await is_good(client, here)
    assert not any([await is_good(client, one) for one in others])


async def test_a_disabled_account_is_signed_out_and_stays_out_until_it_is_enabled(client: Client) -> None:
    tokens = await sign_in(client)
    path = f"/internal/accounts/{DEMO_ID}/status"
    for _ in range(2):
        answer = await client.put(path, json={"status": "disabled"}, headers=INTERNAL)
        assert answer.status_code == 204
    assert not await is_good(client, tokens)
    credentials = {"email": "test@example.com", "password": "password123"}
    assert (await client.post("/api/auth/login", json=credentials)).status_code == 401
    assert (await client.put(path, json={"status": "active"}, headers=INTERNAL)).status_code == 204
    await sign_in(client)


async def test_a_deleted_account_keeps_nothing_of_its_owner_and_frees_the_address(
    client: Client, settings: Settings
) -> None:
    account = await register(client, "minji@example.com")
    credentials = {"email": "minji@example.com", "password": PASSWORD}
    tokens = await sign_in(client, **credentials)
    path = f"/internal/accounts/{account['id']}"
    for _ in range(2):
        answer = await client.put(f"{path}/status", json={"status": "deleted"}, headers=INTERNAL)
        assert answer.status_code == 204
    assert not await is_good(client, tokens)
    assert (await client.post("/api/auth/login", json=credentials)).status_code == 401
    # Messages that come late, of any number and of none, bring the address back to nobody.
    for number in ({}, {"X-Message-Sequence": "1"}, {"X-Message-Sequence": str(2**63 - 1)}):
        late = await client.put(
            f"{path}/email", json={"email": "late@example.com"}, headers=INTERNAL | number
        )
        assert late.status_code == 204
    database = Database(settings.database_url, application="test")
    async with database.lifespan():
        (row,) = await database.fetch("SELECT * FROM account WHERE id = $1", UUID(account["id"]))
    assert (row["email"], row["name"]) == (f"deleted-{account['id']}@invalid.", "")
    assert row["status"] == "disabled"
    again = await register(client, "minji@example.com")
    assert again["id"] != account["id"]
    await sign_in(client, **credentials)


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Internal-Key": "wrong"}, {"X-Internal-Key": ""}, {"X-Internal-Key": INTERNAL_KEY + "x"}],
)
@pytest.mark.parametrize(
    ("name", "body"), [("status", {"status": "disabled"}), ("email", {"email": "a@example.com"})]
)
async def test_internal_calls_need_the_internal_key(
    client: Client, headers: dict[str, str], name: str, body: dict[str, str]
) -> None:
    tokens = await sign_in(client)
    answer = await client.put(
        f"/internal/accounts/{DEMO_ID}/{name}", json=body, headers=headers | bearer(tokens)
    )
    assert answer.status_code == 401
    assert await is_good(client, tokens)


async def test_internal_calls_about_nobody_are_404(client: Client) -> None:
    for name, body in (("status", {"status": "disabled"}), ("email", {"email": "a@example.com"})):
        answer = await client.put(f"/internal/accounts/{uuid4()}/{name}", json=body, headers=INTERNAL)
        assert answer.status_code == 404
