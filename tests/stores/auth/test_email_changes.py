"""Moving an account to another address: the member service's messages, on real stores."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from services.auth.settings import Settings
from services.chassis.postgres import Database
from tests.stores.auth.calls import PASSWORD, Client, is_good, mailed_token, register, sign_in
from tests.stores.auth.command import command

INTERNAL = {"X-Internal-Key": "internal-key-of-the-tests"}
DEMO_ID = "00000000-0000-4000-8000-000000000001"
OLD, NEW = "minji@example.com", "stranger@example.com"
NEW_PASSWORD = "quite another sentence"


async def move(client: Client, account: str, email: str) -> int:
    answer = await client.put(f"/internal/accounts/{account}/email", json={"email": email}, headers=INTERNAL)
    return answer.status_code


async def reset(client: Client, token: str) -> int:
    body = {"token": token, "new_password": NEW_PASSWORD}
    return (await client.post("/api/auth/password/reset", json=body)).status_code


async def test_a_moved_account_comes_back_by_its_former_address(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    account = await register(client, OLD)
    tokens = await sign_in(client, email=OLD, password=PASSWORD)
    assert await move(client, account["id"], NEW) == 204
    await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    notice = await mailed_token(tmp_path / "mail", OLD, "/password/reset")
    # Nothing that lets choose a password goes to the new address, whichever is named.
    for asked in (NEW, OLD):
        await client.post("/api/auth/password/forgot", json={"email": asked})
    while await mailed_token(tmp_path / "mail", OLD, "/password/reset") == notice:
        await asyncio.sleep(0.02)
    letters = [file.read_text() for file in (tmp_path / "mail").glob("*.eml")]
    assert not [letter for letter in letters if f"To: {NEW}" in letter and "/password/reset" in letter]
    assert await reset(client, notice) == 204
    assert not await is_good(client, tokens)
    await sign_in(client, email=OLD, password=NEW_PASSWORD)
    assert (
        await client.post("/api/auth/login", json={"email": NEW, "password": NEW_PASSWORD})
    ).status_code == 401
    database = Database(settings.auth_database_url, application="test")
    async with database.lifespan():
        messages = await database.fetch("SELECT path, body FROM outbox WHERE target = 'member' ORDER BY id")
    assert {message["path"] for message in messages} == {f"/internal/members/{account['id']}"}
    assert msgspec.json.decode(messages[-1]["body"]) == {"email": OLD, "name": "Kim Minji"}
    assert len(messages) == 3


async def test_the_former_address_is_kept_from_others_until_the_new_one_has_signed_in(client: Client) -> None:
    account, other = await register(client, OLD), await register(client, "other@example.com")
    assert await move(client, account["id"], NEW) == 204
    body = {"email": OLD, "password": PASSWORD, "name": "Somebody"}
    assert (await client.post("/api/auth/register", json=body)).status_code == 409
    assert await move(client, other["id"], OLD) == 409
    await sign_in(client, email=NEW, password=PASSWORD)
    assert await move(client, other["id"], OLD) == 204


async def test_an_address_that_is_left_and_wanted_at_one_moment_has_one_owner(client: Client) -> None:
    """Whoever wins: never one account's address and another's former one."""
    for number in range(10):
        account = await register(client, f"left-{number}@example.com")
        other = await register(client, f"other-{number}@example.com")
        body = {"email": f"left-{number}@example.com", "password": PASSWORD, "name": "Somebody"}
        left, *wanted = await asyncio.gather(
            move(client, account["id"], f"moved-{number}@example.com"),
            move(client, other["id"], f"left-{number}@example.com"),
            client.post("/api/auth/register", json=body),
        )
        assert (left, wanted[0], wanted[1].status_code) == (204, 409, 409)  # type: ignore[attr-defined]


async def test_a_former_address_that_an_earlier_release_gave_away_during_the_upgrade_is_a_refusal(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    account = await register(client, OLD)
    await move(client, account["id"], NEW)
    notice = await mailed_token(tmp_path / "mail", OLD, "/password/reset")
    database = Database(settings.auth_database_url, application="test")
    async with database.lifespan():
        await database.fetch("UPDATE account SET email = $1 WHERE email = 'test@example.com'", OLD)
    assert await reset(client, notice) == 400
    await sign_in(client, email=NEW, password=PASSWORD)


async def test_nobody_keeps_an_address_from_its_owner_by_moving_to_it(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    squatter = await register(client, OLD)
    assert await move(client, squatter["id"], NEW) == 204
    link = await mailed_token(tmp_path / "mail", NEW, "/email/verify")
    owner = await register(client, NEW)
    await sign_in(client, email=NEW, password=PASSWORD)
    await sign_in(client, email=OLD, password=PASSWORD)
    assert (await client.post("/api/auth/email/verify", json={"token": link})).status_code == 400
    database = Database(settings.auth_database_url, application="test")
    async with database.lifespan():
        messages = await database.fetch("SELECT path, body FROM outbox WHERE target = 'member' ORDER BY id")
    told = [
        (message["path"].rpartition("/")[2], msgspec.json.decode(message["body"])["email"])
        for message in messages
    ]
    assert told == [(squatter["id"], OLD), (squatter["id"], NEW), (squatter["id"], OLD), (owner["id"], NEW)]
    # One that its owner has confirmed stays.
    assert await move(client, squatter["id"], "mine@example.com") == 204
    link = await mailed_token(tmp_path / "mail", "mine@example.com", "/email/verify")
    assert (await client.post("/api/auth/email/verify", json={"token": link})).status_code == 204
    assert await move(client, owner["id"], "mine@example.com") == 409


async def test_accounts_that_want_each_others_addresses_are_answered_and_no_address_is_of_two(
    client: Client, settings: Settings
) -> None:
    ids = [(await register(client, f"{number}@example.com"))["id"] for number in range(4)]
    for _ in range(5):
        answers = await asyncio.gather(
            *(move(client, id_, f"{number}@example.com") for id_ in ids for number in range(4))
        )
        assert set(answers) <= {204, 409, 503}
    database = Database(settings.auth_database_url, application="test")
    async with database.lifespan():
        rows = await database.fetch("SELECT id, email, former_email FROM account")
    holders: dict[str, set[str]] = {}
    for row in rows:
        for address in (row["email"], row["former_email"]):
            holders.setdefault(address, set()).add(str(row["id"]))
    holders.pop(None, None)  # type: ignore[call-overload]
    assert all(len(accounts) == 1 for accounts in holders.values())


async def test_an_operator_settles_an_address_by_hand(client: Client, settings: Settings) -> None:
    account = await register(client, OLD)
    await move(client, account["id"], NEW)
    status, said = await command(settings, "settle-email", OLD)
    assert (status, "There is no such account." in said) == (1, True)
    assert (await command(settings, "settle-email", NEW))[0] == 0
    await register(client, OLD)


async def test_an_address_changed_by_the_member_service_signs_in(client: Client) -> None:
    await register(client, "minji@example.com")
    path = f"/internal/accounts/{DEMO_ID}/email"
    for _ in range(2):
        answer = await client.put(path, json={"email": "Admin@example.com"}, headers=INTERNAL)
        assert answer.status_code == 204
    await sign_in(client, email="admin@example.com")
    taken = await client.put(path, json={"email": "minji@example.com"}, headers=INTERNAL)
    assert taken.status_code == 409


async def test_a_message_that_arrives_after_a_later_one_is_done_with(client: Client) -> None:
    await register(client, "minji@example.com")
    path = f"/internal/accounts/{DEMO_ID}/email"

    async def deliver(number: int, email: str) -> int:
        headers = INTERNAL | {"X-Message-Sequence": str(number)}
        return (await client.put(path, json={"email": email}, headers=headers)).status_code

    # One that was refused is not carried out, and may come again.
    assert await deliver(7, "minji@example.com") == 409
    assert await deliver(7, "seventh@example.com") == 204
    assert await deliver(9, "ninth@example.com") == 204
    for number in (7, 8, 9):
        assert await deliver(number, "late@example.com") == 204
    await sign_in(client, email="ninth@example.com")
    # The next is carried out also where it changes nothing, and overtakes those before it.
    assert await deliver(11, "ninth@example.com") == 204
    assert await deliver(10, "late@example.com") == 204
    await sign_in(client, email="ninth@example.com")
    assert await deliver(0, "zeroth@example.com") == 400


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"X-Order-Number": "6"}, 204),
        ({"X-Order-Number": "6", "X-Message-Sequence": "6"}, 204),
        ({"X-Order-Number": "7", "X-Message-Sequence": "6"}, 400),
        ({"X-Order-Number": "six"}, 400),
    ],
)
async def test_the_sequence_is_taken_under_its_former_name_too(
    client: Client, sent: dict[str, str], expected: int
) -> None:
    path = f"/internal/accounts/{DEMO_ID}/email"
    body = {"email": "sixth@example.com"}
    assert (await client.put(path, json=body, headers=INTERNAL | sent)).status_code == expected
    late = {"email": "fifth@example.com"}
    answer = await client.put(path, json=late, headers=INTERNAL | {"X-Message-Sequence": "5"})
    assert answer.status_code == 204
    await sign_in(client, email="sixth@example.com" if expected == 204 else "fifth@example.com")


async def test_of_messages_that_arrive_at_once_the_latest_counts(client: Client) -> None:
    path = f"/internal/accounts/{DEMO_ID}/email"
    answers = await asyncio.gather(
        *(
            client.put(
                path,
                json={"email": f"message-{number}@example.com"},
                headers=INTERNAL | {"X-Message-Sequence": str(number)},
            )
            for number in (3, 1, 5, 2, 4)
        )
    )
    assert {answer.status_code for answer in answers} == {204}
    await sign_in(client, email="message-5@example.com")
