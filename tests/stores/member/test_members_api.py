"""The member API on a real database."""

import asyncio
import unicodedata
from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
from httpx import AsyncClient

from services.chassis import pages
from services.chassis.postgres import Database
from services.member.adapters import demo_data
from services.member.app import build
from services.member.settings import Settings
from tests.in_process import running
from tests.stores.member.conftest import INTERNAL_KEY
from tests.stores.member.members import made

Api = AsyncClient
Headers = dict[str, str]

MINJI = {"email": "Minji@Example.com", "name": " Kim  Minji "}


async def test_a_created_member_is_found_at_its_location_in_normal_form(api: Api, admin: Headers) -> None:
    answer = await api.post(
        "/api/members", json={**MINJI, "phone": "+82 10-1234-5678", "unknown": 1}, headers=admin
    )
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    found = await api.get(answer.headers["Location"], headers=admin)
    assert found.json() == answer.json()
    assert found.json()["email"] == "minji@example.com"
    assert found.json()["name"] == "Kim Minji"
    assert found.json()["phone"] == "+821012345678"


async def test_a_taken_email_is_a_conflict_whatever_its_case(api: Api, admin: Headers) -> None:
    await made(api, admin, email="minji@example.com")
    answer = await api.post("/api/members", json=MINJI, headers=admin)
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_every_wrong_field_is_named(api: Api, admin: Headers) -> None:
    wrong = {
        "email": "nobody",
        "name": "\u0007",
        "phone": "010",
        "addresses": [
            {"recipient": "", "line1": "1", "city": "Seoul", "postal_code": "04524", "country": "Korea"}
        ],
    }
    answer = await api.post("/api/members", json=wrong, headers=admin)
    assert answer.status_code == 400
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["email", "name", "phone", "addresses.0.recipient", "addresses.0.country"]


async def test_only_administrators_list_and_create(
    api: Api, as_member: Callable[[UUID | str], Headers]
) -> None:
    caller = as_member(uuid4())
    assert (await api.get("/api/members", headers=caller)).status_code == 403
    assert (await api.post("/api/members", json=MINJI, headers=caller)).status_code == 403
    assert (await api.get("/api/members")).status_code == 401


async def test_another_ones_member_looks_as_if_there_were_none(
    api: Api, admin: Headers, as_member: Callable[[UUID | str], Headers]
) -> None:
    member = await made(api, admin)
    own, other = as_member(member["id"]), as_member(uuid4())
    path = f"/api/members/{member['id']}"
    assert (await api.get(path, headers=own)).status_code == 200
    assert (await api.get("/api/members/me", headers=own)).json() == member
    for answer in (
        await api.get(path, headers=other),
        await api.put(path, json=MINJI, headers={**other, "If-Match": "*"}),
        await api.patch(path, json={"name": "X"}, headers={**other, "If-Match": "*"}),
        await api.delete(path, headers={**other, "If-Match": "*"}),
    ):
        assert answer.status_code == 404
    assert (await api.get(path, headers=admin)).json() == member


async def test_an_update_needs_the_version_that_was_read(api: Api, admin: Headers) -> None:
    member = await made(api, admin)
    path = f"/api/members/{member['id']}"
    assert (await api.put(path, json=MINJI, headers=admin)).status_code == 428
    assert (await api.put(path, json=MINJI, headers={**admin, "If-Match": '"7"'})).status_code == 412
    assert (await api.put(path, json=MINJI, headers={**admin, "If-Match": "one"})).status_code == 400
    done = await api.put(path, json=MINJI, headers={**admin, "If-Match": '"1"'})
    assert done.status_code == 200
    assert done.headers["ETag"] == '"2"'
    assert (await api.put(path, json=MINJI, headers={**admin, "If-Match": '"1"'})).status_code == 412


async def test_a_precondition_that_the_gateway_moved_counts_as_itself(api: Api, admin: Headers) -> None:
    member = await made(api, admin)
    path = f"/api/members/{member['id']}"
    stale = await api.put(path, json=MINJI, headers={**admin, "X-If-Match": '"7"'})
    assert stale.status_code == 412
    both = await api.put(path, json=MINJI, headers={**admin, "If-Match": '"7"', "X-If-Match": '"1"'})
    assert both.status_code == 412
    moved = await api.put(path, json=MINJI, headers={**admin, "X-If-Match": '"1"'})
    assert moved.status_code == 200


async def test_of_concurrent_updates_of_one_version_exactly_one_wins(api: Api, admin: Headers) -> None:
    member = await made(api, admin)
    path = f"/api/members/{member['id']}"
    answers = await asyncio.gather(
        *(
            api.patch(path, json={"name": f"Name {n}"}, headers={**admin, "If-Match": '"1"'})
            for n in range(10)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    assert (await api.get(path, headers=admin)).json()["version"] == 2


async def test_a_merge_patch_keeps_what_it_does_not_name_and_empties_what_is_null(
    api: Api, admin: Headers
) -> None:
    member = await made(api, admin, phone="+821012345678", name="Before")
    answer = await api.patch(
        f"/api/members/{member['id']}",
        json={"phone": None, "marketing_consent": True},
        headers={**admin, "If-Match": '"1"', "Content-Type": "application/merge-patch+json"},
    )
    patched = answer.json()
    assert (patched["name"], patched["phone"], patched["marketing_consent"]) == ("Before", None, True)
    assert patched["marketing_consent_at"] == patched["updated_at"]


async def test_a_name_from_auth_that_would_be_refused_here_keeps_nobody_from_other_changes(
    api: Api, admin: Headers, internal: Headers, new_id: UUID
) -> None:
    body, path = {"email": "a@example.com", "name": "Private \ue000"}, f"/api/members/{new_id}"
    assert (await api.put(f"/internal/members/{new_id}", json=body, headers=internal)).status_code == 201
    change = {"phone": "+821012345678"}
    patched = await api.patch(path, json=change, headers={**admin, "If-Match": "*"})
    assert patched.status_code == 200, patched.text
    replaced = await api.put(path, json={**body, **change}, headers={**admin, "If-Match": "*"})
    assert replaced.status_code == 200, replaced.text
    refused = await api.patch(path, json={"name": "New \ue000"}, headers={**admin, "If-Match": "*"})
    assert [error["field"] for error in refused.json()["errors"]] == ["name"]


async def test_a_name_is_found_however_its_syllables_are_typed(
    api: Api, admin: Headers, internal: Headers, new_id: UUID
) -> None:
    letters = unicodedata.normalize("NFD", "김민지")
    body = {"email": "minji@example.com", "name": letters}
    await api.put(f"/internal/members/{new_id}", json=body, headers=internal)
    for typed in ("김민", letters[:6]):
        page = await api.get("/api/members", params={"q": typed}, headers=admin)
        assert [item["name"] for item in page.json()["items"]] == ["김민지"], typed


async def test_a_column_that_the_next_release_adds_disturbs_nobody(
    api: Api, admin: Headers, settings: Settings
) -> None:
    member = await made(api, admin)
    path, anything = f"/api/members/{member['id']}", {**admin, "If-Match": "*"}
    for _ in range(3):
        assert (await api.patch(path, json={"name": "Before"}, headers=anything)).status_code == 200
    database = Database(settings.database_url, application="test")
    async with database.lifespan(), database.transaction() as connection:
        await connection.execute("ALTER TABLE member ADD COLUMN more text")
    assert (await api.patch(path, json={"name": "After"}, headers=anything)).status_code == 200


async def test_nobody_raises_their_own_grade(
    api: Api, admin: Headers, as_member: Callable[[UUID | str], Headers]
) -> None:
    member = await made(api, admin)
    path = f"/api/members/{member['id']}"
    own = {**as_member(member["id"]), "If-Match": '"1"'}
    assert (await api.patch(path, json={"grade": "vip"}, headers=own)).status_code == 403
    assert (await api.get(path, headers=admin)).json()["grade"] == "standard"


async def test_a_deleted_member_leaves_no_personal_data_and_frees_its_email(api: Api, admin: Headers) -> None:
    member = await made(api, admin, email="gone@example.com")
    path = f"/api/members/{member['id']}"
    assert (await api.delete(path, headers=admin)).status_code == 204
    assert (await api.get(path, headers=admin)).status_code == 404
    assert (await api.delete(path, headers=admin)).status_code == 404
    listed = await api.get("/api/members", headers=admin)
    assert listed.json()["items"] == []
    await made(api, admin, email="gone@example.com")


async def test_a_key_makes_one_member_however_often_it_is_sent(api: Api, admin: Headers) -> None:
    keyed = {**admin, "Idempotency-Key": "one"}
    answers = await asyncio.gather(*(api.post("/api/members", json=MINJI, headers=keyed) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 19
    assert len((await api.get("/api/members", headers=admin)).json()["items"]) == 1


async def test_a_key_with_another_body_is_refused(api: Api, admin: Headers) -> None:
    keyed = {**admin, "X-Idempotency-Key": "two"}
    await api.post("/api/members", json=MINJI, headers=keyed)
    answer = await api.post("/api/members", json={**MINJI, "name": "Another"}, headers=keyed)
    assert answer.status_code == 422


async def test_pages_list_every_member_once_in_the_order_asked_for(api: Api, admin: Headers) -> None:
    names = [f"Member {n:02d}" for n in range(25)]
    for name in names:
        await made(api, admin, name=name)
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "10", "sort": "name", **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/api/members", params=query, headers=admin)).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names


async def test_the_search_matches_the_start_of_name_or_email_literally(api: Api, admin: Headers) -> None:
    await made(api, admin, name="Ärlig Person", email="first@example.com")
    await made(api, admin, name="100% Cotton", email="second@example.com")
    for query, expected in (
        ("äRL", 1),
        ("FIRST@", 1),
        ("100%", 1),
        ("%", 0),
        ("_", 0),
        ("person", 0),
    ):
        page = await api.get("/api/members", params={"q": query}, headers=admin)
        assert len(page.json()["items"]) == expected, query


async def test_a_cursor_of_another_order_or_none_of_ours_is_refused(api: Api, admin: Headers) -> None:
    for _ in range(2):
        await made(api, admin)
    cursor = (await api.get("/api/members?limit=1", headers=admin)).json()["next_cursor"]
    for query in ({"cursor": cursor, "sort": "name"}, {"cursor": "garbage!"}, {"cursor": "WzFd"}):
        answer = await api.get("/api/members", params=query, headers=admin)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "cursor"


async def test_values_that_the_database_could_not_take_are_refused_by_name(api: Api, admin: Headers) -> None:
    for name, value in (
        ("q", "a\0"),
        ("created_from", "2026-01-01T00:00:00"),
        ("created_before", "yesterday"),
        ("created_from", "0001-01-01T00:00:00+14:00"),
        ("created_before", "9999-12-31T23:59:59-14:00"),
        ("limit", "0"),
        ("limit", "101"),
        ("grade", "emperor"),
        ("sort", "phone"),
    ):
        answer = await api.get("/api/members", params={name: value}, headers=admin)
        assert answer.status_code == 400, (name, answer.text)
        assert answer.json()["errors"][0]["field"] == name
    for sort, value in (
        ("name", "a\0"),
        ("created_at", "2026-01-01T00:00:00"),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("-created_at", "9999-12-31T23:59:59-14:00"),
    ):
        cursor = pages.encode(sort, value, uuid4())
        answer = await api.get("/api/members", params={"sort": sort, "cursor": cursor}, headers=admin)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "cursor"
    for value in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        query = {"created_from": value, "created_before": value}
        assert (await api.get("/api/members", params=query, headers=admin)).status_code == 200
    wrong = {"email": "a@example.com", "name": "a\0"}
    assert (await api.post("/api/members", json=wrong, headers=admin)).status_code == 400


async def test_lists_can_be_narrowed_by_grade_consent_and_time(api: Api, admin: Headers) -> None:
    gold = await made(api, admin, grade="gold")
    consenting = await made(api, admin, marketing_consent=True)
    for query, expected in (
        ({"grade": "gold"}, [gold["id"]]),
        ({"marketing_consent": "true"}, [consenting["id"]]),
        ({"marketing_consent": "false"}, [gold["id"]]),
        ({"created_from": consenting["created_at"]}, [consenting["id"]]),
        ({"created_before": consenting["created_at"]}, [gold["id"]]),
        ({"sort": "created_at"}, [gold["id"], consenting["id"]]),
        ({}, [consenting["id"], gold["id"]]),
    ):
        page = await api.get("/api/members", params=query, headers=admin)
        assert [item["id"] for item in page.json()["items"]] == expected, query


async def test_every_mutation_is_safe_to_repeat_with_a_key(api: Api, admin: Headers) -> None:
    member = await made(api, admin)
    path, keyed = f"/api/members/{member['id']}", {**admin, "Idempotency-Key": "k"}
    for method, body, tag in (
        ("PUT", {**MINJI, "email": "put@example.com"}, '"1"'),
        ("PATCH", {"name": "Patched"}, '"2"'),
        ("DELETE", None, '"3"'),
    ):
        first, second = [
            await api.request(method, path, json=body, headers={**keyed, "If-Match": tag}) for _ in range(2)
        ]
        assert first.is_success, first.text
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second.headers["Idempotent-Replayed"] == "true"


async def test_the_demo_members_are_loaded_once(settings: Settings) -> None:
    demo = msgspec.structs.replace(settings, demo_data=True)
    signer_headers = {"X-Internal-Key": INTERNAL_KEY}
    for _ in range(2):
        async with running(build(demo)) as client:
            answer = await client.put(
                f"/internal/members/{demo_data.ADMIN_ID}",
                json={"email": demo_data.ADMIN_EMAIL, "name": demo_data.ADMIN_NAME},
                headers=signer_headers,
            )
            assert answer.status_code == 200
    database = Database(settings.database_url, application="test")
    async with database.lifespan(), database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM member") == 21
