"""auth and member follow each other: accounts make members, changes of members reach accounts."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient

from services.chassis.postgres import Database
from services.member.settings import Settings
from tests.stores.member.conftest import INTERNAL_KEY, AuthStandIn
from tests.stores.member.members import made

Api = AsyncClient
Headers = dict[str, str]


async def told_once(
    api: Api, internal: Headers, id_: UUID, number: int, email: str, name: str = "New"
) -> int:
    """A message of auth's, delivered."""
    headers = {**internal, "X-Message-Sequence": str(number)}
    answer = await api.put(f"/internal/members/{id_}", json={"email": email, "name": name}, headers=headers)
    return answer.status_code


async def told(api: Api, internal: Headers, id_: UUID, number: int, email: str, name: str = "New") -> int:
    """The same, until it is not put off any more."""
    async with asyncio.timeout(10):
        while (status := await told_once(api, internal, id_, number, email, name)) == 503:
            await asyncio.sleep(0.05)
    return status


async def test_the_internal_api_needs_its_key(api: Api, admin: Headers, new_id: UUID) -> None:
    body = {"email": "new@example.com", "name": "New"}
    for headers in ({}, admin, {"X-Internal-Key": "wrong"}):
        answer = await api.put(f"/internal/members/{new_id}", json=body, headers=headers)
        assert answer.status_code == 401


async def test_an_account_with_a_null_character_is_refused_by_name(
    api: Api, internal: Headers, new_id: UUID
) -> None:
    good = {"email": "new@example.com", "name": "New"}
    for field in good:
        body = {**good, field: "a\0b@example.com"}
        answer = await api.put(f"/internal/members/{new_id}", json=body, headers=internal)
        assert answer.status_code == 400, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_account_makes_its_member_once_and_a_repeat_undoes_nothing(
    api: Api, internal: Headers, new_id: UUID, as_member: Callable[[UUID | str], Headers]
) -> None:
    path, body = f"/internal/members/{new_id}", {"email": "new@example.com", "name": "New"}
    assert (await api.put(path, json=body, headers=internal)).status_code == 201
    own = as_member(new_id)
    renamed = await api.patch(
        "/api/members/" + str(new_id), json={"name": "Mine"}, headers={**own, "If-Match": '"1"'}
    )
    assert renamed.status_code == 200
    assert (await api.put(path, json=body, headers=internal)).status_code == 200
    assert (await api.get("/api/members/me", headers=own)).json()["name"] == "Mine"
    moved = {"email": "moved@example.com", "name": "New"}
    assert (await api.put(path, json=moved, headers=internal)).status_code == 200
    assert (await api.get("/api/members/me", headers=own)).json()["email"] == "moved@example.com"


async def test_a_new_email_and_a_deletion_reach_auth(
    api: Api,
    auth: AuthStandIn,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
) -> None:
    account = {"email": "new@example.com", "name": "New"}
    await api.put(f"/internal/members/{new_id}", json=account, headers=internal)
    own, path = {**as_member(new_id), "If-Match": "*"}, f"/api/members/{new_id}"
    assert (await api.patch(path, json={"email": "Newer@example.com"}, headers=own)).status_code == 200
    async with asyncio.timeout(5):
        while not auth.messages:
            await asyncio.sleep(0.02)
    assert (await api.delete(path, headers=own)).status_code == 204
    async with asyncio.timeout(5):
        while len(auth.messages) < 2:
            await asyncio.sleep(0.02)
    assert auth.messages == [
        (f"/internal/accounts/{new_id}/email", {"email": "newer@example.com"}, INTERNAL_KEY),
        (f"/internal/accounts/{new_id}/status", {"status": "deleted"}, INTERNAL_KEY),
    ]
    # The registration's message, delivered once more: a deleted member stays deleted.
    repeated = await api.put(f"/internal/members/{new_id}", json=account, headers=internal)
    assert repeated.status_code == 200
    assert (await api.get("/api/members/me", headers=own)).status_code == 404


async def test_an_email_that_auth_refuses_does_not_keep_the_account_from_being_deleted(
    api: Api,
    auth: AuthStandIn,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
) -> None:
    account = {"email": "new@example.com", "name": "New"}
    await api.put(f"/internal/members/{new_id}", json=account, headers=internal)
    own, path = {**as_member(new_id), "If-Match": "*"}, f"/api/members/{new_id}"
    auth.status = 409
    await api.patch(path, json={"email": "taken@example.com"}, headers=own)
    async with asyncio.timeout(5):
        while not auth.messages:
            await asyncio.sleep(0.02)
    await api.delete(path, headers=own)
    async with asyncio.timeout(5):
        while f"/internal/accounts/{new_id}/status" not in [message[0] for message in auth.messages]:
            await asyncio.sleep(0.02)


async def test_a_deletion_takes_the_members_addresses_out_of_the_outbox(
    api: Api, auth: AuthStandIn, settings: Settings, admin: Headers, internal: Headers, new_id: UUID
) -> None:
    await api.put(
        f"/internal/members/{new_id}", json={"email": "a@example.com", "name": "A"}, headers=internal
    )
    assert (await api.get("/api/members", headers=admin)).status_code == 200
    await auth.go_down()
    anything = {**admin, "If-Match": "*"}
    for number in range(2):
        change = {"email": f"waits-{number}@example.com"}
        assert (await api.patch(f"/api/members/{new_id}", json=change, headers=anything)).status_code == 200
    database = Database(settings.database_url, application="test")
    async with database.lifespan():
        async with database.transaction() as connection:
            await connection.execute(
                "UPDATE outbox SET dead_letter_at = clock_timestamp() WHERE id = (SELECT min(id) FROM outbox)"
            )
            # Out of the deliveries' way, so that none of the messages is under way.
            await connection.execute("UPDATE outbox SET next_attempt_at = 'infinity'")
        assert (await api.delete(f"/api/members/{new_id}", headers=anything)).status_code == 204
        left = await database.fetch("SELECT path FROM outbox")
    assert [row["path"] for row in left] == [f"/internal/accounts/{new_id}/status"]


async def test_a_member_without_an_account_is_no_business_of_auth(
    api: Api, auth: AuthStandIn, admin: Headers
) -> None:
    member = await made(api, admin)
    await api.delete(f"/api/members/{member['id']}", headers=admin)
    await asyncio.sleep(1)
    assert auth.messages == []


async def test_auth_being_down_does_not_hold_a_change_back(
    api: Api,
    auth: AuthStandIn,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
) -> None:
    auth.status = 503
    await api.put(
        f"/internal/members/{new_id}", json={"email": "a@example.com", "name": "A"}, headers=internal
    )
    own = {**as_member(new_id), "If-Match": "*"}
    assert (await api.delete(f"/api/members/{new_id}", headers=own)).status_code == 204
    while not auth.messages:
        await asyncio.sleep(0.02)
    auth.status = 204
    async with asyncio.timeout(5):
        while len(auth.messages) < 2:
            await asyncio.sleep(0.02)
    assert auth.messages[0] == auth.messages[1]


async def test_an_account_takes_its_email_even_where_another_member_has_it(
    api: Api, admin: Headers, internal: Headers, new_id: UUID
) -> None:
    await made(api, admin, email="same@example.com")
    body = {"email": "same@example.com", "name": "Owner"}
    assert (await api.put(f"/internal/members/{new_id}", json=body, headers=internal)).status_code == 201


async def test_members_that_share_an_email_can_change_everything_else(
    api: Api, admin: Headers, internal: Headers, new_id: UUID
) -> None:
    member = await made(api, admin, email="same@example.com")
    body = {"email": "same@example.com", "name": "Owner"}
    await api.put(f"/internal/members/{new_id}", json=body, headers=internal)
    for id_ in (member["id"], new_id):
        answer = await api.patch(
            f"/api/members/{id_}", json={"phone": "+821012345678"}, headers={**admin, "If-Match": "*"}
        )
        assert answer.status_code == 200, answer.text


async def test_of_accounts_that_want_one_email_at_once_exactly_one_gets_it(
    api: Api, admin: Headers, internal: Headers
) -> None:
    ids = [uuid4() for _ in range(6)]
    for id_ in ids:
        body = {"email": f"{id_}@example.com", "name": "Owner"}
        await api.put(f"/internal/members/{id_}", json=body, headers=internal)
    answers = await asyncio.gather(
        *(
            api.patch(
                f"/api/members/{id_}",
                json={"email": "wanted@example.com"},
                headers={**admin, "If-Match": "*"},
            )
            for id_ in ids
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


async def test_hearing_from_auth_of_the_own_change_of_email_voids_nobodys_version(
    api: Api, internal: Headers, new_id: UUID, as_member: Callable[[UUID | str], Headers]
) -> None:
    async def deliver(number: int, email: str) -> None:
        assert await told(api, internal, new_id, number, email) in {200, 201}

    async def change(version: int, **change: str) -> int:
        own = {**as_member(new_id), "If-Match": f'"{version}"'}
        return (await api.patch(f"/api/members/{new_id}", json=change, headers=own)).status_code

    await deliver(1, "mine@example.com")
    assert await change(1, email="newer@example.com") == 200
    await deliver(2, "newer@example.com")
    assert await change(2, name="As I like it") == 200
    await deliver(1, "mine@example.com")
    assert await change(3, phone="+821012345678") == 200
    await deliver(3, "mine@example.com")
    assert await change(4, phone="+821012345679") == 412


async def test_an_account_that_was_taken_back_takes_its_member_along_and_old_messages_do_nothing(
    api: Api, internal: Headers, new_id: UUID, as_member: Callable[[UUID | str], Headers]
) -> None:
    own = {**as_member(new_id), "If-Match": "*"}

    async def deliver(number: int) -> dict[str, str]:
        assert await told(api, internal, new_id, number, "mine@example.com", "Registered") in {200, 201}
        member = (await api.get("/api/members/me", headers=own)).json()
        return {"email": member["email"], "name": member["name"]}

    changed = {"email": "stranger@example.com", "name": "As I like it"}
    assert await deliver(4) == {"email": "mine@example.com", "name": "Registered"}
    assert (await api.patch(f"/api/members/{new_id}", json=changed, headers=own)).status_code == 200
    assert await deliver(4) == changed
    assert await deliver(3) == changed
    assert await deliver(9) == {"email": "mine@example.com", "name": "As I like it"}
    assert await deliver(9) == {"email": "mine@example.com", "name": "As I like it"}


async def test_what_auth_says_of_an_address_waits_for_the_members_own_change_to_reach_it(
    api: Api,
    auth: AuthStandIn,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
) -> None:
    own = {**as_member(new_id), "If-Match": "*"}
    mine, wanted = "mine@example.com", "wanted@example.com"

    async def deliver(number: int, email: str) -> int:
        return await told_once(api, internal, new_id, number, email)

    async def shown() -> dict[str, Any]:
        member = (await api.get("/api/members/me", headers=own)).json()
        return {"email": member["email"], "version": member["version"]}

    assert await deliver(1, mine) == 201
    auth.status = 503
    assert (await api.patch(f"/api/members/{new_id}", json={"email": wanted}, headers=own)).status_code == 200
    assert await deliver(2, mine) == 503
    assert await shown() == {"email": wanted, "version": 2}
    # Of what the member has already there is nothing to wait for, and no new version.
    assert await deliver(3, wanted) == 200
    assert await shown() == {"email": wanted, "version": 2}
    auth.status = 204
    assert await told(api, internal, new_id, 4, mine) == 200
    assert await shown() == {"email": mine, "version": 3}
