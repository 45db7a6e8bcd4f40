"""auth and member follow each other: accounts make members, changes of members reach accounts."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from tests.stores.member.conftest import INTERNAL_KEY, AuthStandIn
from tests.stores.member.members import made
from tests.waiting import WITHIN

Api = AsyncClient
Headers = dict[str, str]


async def told(api: Api, internal: Headers, id_: UUID, sequence: int, email: str, name: str = "New") -> int:
    """A message of auth's, delivered."""
    headers = {**internal, "X-Message-Sequence": str(sequence)}
    answer = await api.put(f"/internal/members/{id_}", json={"email": email, "name": name}, headers=headers)
    return answer.status_code


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


async def test_a_deletion_reaches_auth(
    api: Api,
    auth: AuthStandIn,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
) -> None:
    account = {"email": "new@example.com", "name": "New"}
    await api.put(f"/internal/members/{new_id}", json=account, headers=internal)
    own, path = {**as_member(new_id), "If-Match": "*"}, f"/api/members/{new_id}"
    assert (await api.delete(path, headers=own)).status_code == 204
    async with asyncio.timeout(WITHIN):
        while not auth.messages:
            await asyncio.sleep(0.02)
    assert auth.messages == [(f"/internal/accounts/{new_id}/status", {"status": "deleted"}, INTERNAL_KEY)]
    # The registration's message, delivered once more: a deleted member stays deleted.
    repeated = await api.put(f"/internal/members/{new_id}", json=account, headers=internal)
    assert repeated.status_code == 200
    assert (await api.get("/api/members/me", headers=own)).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("who", ["owner", "administrator"])
async def test_the_address_of_an_account_is_not_changed_here_and_the_answer_says_where(
    api: Api,
    auth: AuthStandIn,
    admin: Headers,
    internal: Headers,
    new_id: UUID,
    as_member: Callable[[UUID | str], Headers],
    method: str,
    who: str,
) -> None:
    await told(api, internal, new_id, 1, "mine@example.com", "Mine")
    headers = {**(admin if who == "administrator" else as_member(new_id)), "If-Match": '"1"'}
    path = f"/api/members/{new_id}"
    refused = await api.request(
        method, path, json={"email": "other@example.com", "name": "Other"}, headers=headers
    )
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "/problems/email-is-sign-in")
    assert "/api/auth/email" in problem["detail"]
    assert (await api.get(problem["type"])).status_code == 200
    # The same address in any spelling is no change.
    body = {"email": "Mine@Example.com ", "name": "Other"}
    taken = await api.request(method, path, json=body, headers=headers)
    assert taken.status_code == 200, taken.text
    assert (taken.json()["email"], taken.json()["name"]) == ("mine@example.com", "Other")
    assert (taken.json()["version"], taken.json()["has_account"]) == (2, True)
    assert auth.messages == []


async def test_an_administrator_changes_the_address_of_a_member_without_an_account(
    api: Api, admin: Headers
) -> None:
    member = await made(api, admin, email="no-account@example.com")
    assert member["has_account"] is False
    answer = await api.patch(
        f"/api/members/{member['id']}",
        json={"email": "moved@example.com"},
        headers={**admin, "If-Match": "*"},
    )
    assert (answer.status_code, answer.json()["email"]) == (200, "moved@example.com")


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
    async with asyncio.timeout(WITHIN):
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


async def test_of_members_without_accounts_that_want_one_email_at_once_exactly_one_gets_it(
    api: Api, admin: Headers
) -> None:
    ids = [(await made(api, admin, email=f"{number}@example.com"))["id"] for number in range(6)]
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


async def test_old_messages_do_nothing_and_a_repeat_undoes_no_name_that_the_member_chose(
    api: Api, internal: Headers, new_id: UUID, as_member: Callable[[UUID | str], Headers]
) -> None:
    own = {**as_member(new_id), "If-Match": "*"}

    async def shown_after(sequence: int, email: str) -> dict[str, Any]:
        assert await told(api, internal, new_id, sequence, email, "Registered") in {200, 201}
        member = (await api.get("/api/members/me", headers=own)).json()
        return {name: member[name] for name in ("email", "name", "version")}

    assert await shown_after(4, "a@example.com") == {
        "email": "a@example.com",
        "name": "Registered",
        "version": 1,
    }
    answer = await api.patch(f"/api/members/{new_id}", json={"name": "As I like it"}, headers=own)
    assert answer.status_code == 200
    mine = {"email": "a@example.com", "name": "As I like it", "version": 2}
    assert await shown_after(4, "late@example.com") == mine
    assert await shown_after(3, "late@example.com") == mine
    assert await shown_after(8, "a@example.com") == mine
    assert await shown_after(9, "b@example.com") == mine | {"email": "b@example.com", "version": 3}
    assert await shown_after(9, "a@example.com") == mine | {"email": "b@example.com", "version": 3}
