"""auth and member, two replicas of each, as processes on shared stores: the changes that both must follow."""

import asyncio
import base64
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.contract.processes import Service, free_port
from tests.stores.auth.calls import mailed_token

PASSWORD = "correct-horse-battery"
PATIENCE_S = 60


class Platform:
    def __init__(self, auths: list[Service], members: list[Service], session: aiohttp.ClientSession) -> None:
        self.auths = auths
        self.members = members
        self._session = session

    async def call(
        self, service: Service, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, Any]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, service.url + path, json=body, headers=names) as answer:
            return answer.status, answer.headers, await answer.json(content_type=None)

    async def token(self, email: str, password: str = PASSWORD, at: int = 0) -> str:
        credentials = {"email": email, "password": password}
        status, _, body = await self.call(self.auths[at], "POST", "/api/auth/login", credentials)
        assert status == 200, body
        return f"Bearer {body['access_token']}"

    async def register(self, at: int = 0) -> tuple[str, str]:
        """The new account's e-mail and token."""
        email = f"{uuid4().hex}@example.com"
        account = {"email": email, "password": PASSWORD, "name": "Somebody New"}
        status, _, body = await self.call(self.auths[at], "POST", "/api/auth/register", account)
        assert status == 201, body
        return email, await self.token(email, at=at)

    async def all_members(self, token: str) -> Any:
        _, _, body = await self.call(self.members[1], "GET", "/api/members?limit=100", Authorization=token)
        return body

    async def own_member(self, token: str, at: int = 0) -> tuple[int, Any]:
        status, _, body = await self.call(self.members[at], "GET", "/api/members/me", Authorization=token)
        return status, body

    async def own_member_in_time(self, token: str, at: int = 0) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                status, body = await self.own_member(token, at)
                if status == 200:
                    return body
                await asyncio.sleep(0.05)


@pytest.fixture
async def platform(
    redis_url: str, new_postgres_database: Callable[[], str], tmp_path: Path
) -> AsyncIterator[Platform]:
    ports = [free_port() for _ in range(4)]
    environment = {
        "TOKEN_ISSUER": "https://auth.test",
        "TOKEN_AUDIENCE": "tests",
        "AUTH_DATABASE_URL": new_postgres_database(),
        "MEMBER_DATABASE_URL": new_postgres_database(),
        "REDIS_URL": redis_url,
        "AUTH_URL": f"http://127.0.0.1:{ports[0]}",
        "MEMBER_URL": f"http://127.0.0.1:{ports[2]}",
        "AUTH_JWKS_URL": f"http://127.0.0.1:{ports[0]}/.well-known/jwks.json",
        "INTERNAL_API_KEY": "internal-key-of-the-tests",
        "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
        "DEMO_DATA": "true",
        "ARGON2_M": "8192",
        "ARGON2_T": "1",
        "MAIL_URL": f"file://{tmp_path}/mail",
    }
    auths = [Service("auth", port, environment, tmp_path) for port in ports[:2]]
    members = [Service("member", port, environment, tmp_path) for port in ports[2:]]
    async with aiohttp.ClientSession() as session:
        try:
            # All at once: replicas that migrate and load demo data side by side.
            await asyncio.gather(*(service.start() for service in (*auths, *members)))
            yield Platform(auths, members, session)
        finally:
            await asyncio.gather(*(service.stop() for service in (*auths, *members)))


@pytest.mark.timeout(240)
async def test_changes_reach_both_services_whatever_stops_meanwhile(
    platform: Platform, tmp_path: Path
) -> None:
    admin = await platform.token("test@example.com", "password123")
    async with asyncio.timeout(PATIENCE_S):  # a member that has just started may not have auth's keys yet
        while "items" not in (listed := await platform.all_members(admin)):
            await asyncio.sleep(0.05)
    assert len(listed["items"]) == 21, "replicas that start at once load the demo members once"

    # Registration makes the member, seen by either replica.
    email, token = await platform.register(at=1)
    member = await platform.own_member_in_time(token, at=1)
    assert (member["email"], member["name"]) == (email, "Somebody New")

    # A new e-mail is asked for at auth, with the password, and reaches member once its mailed link is opened.
    newer = f"newer-{email}"
    path = f"/api/members/{member['id']}"
    change = {"Authorization": token, "If_Match": '"1"'}
    refused = await platform.call(platform.members[0], "PATCH", path, {"email": newer}, **change)
    assert (refused[0], refused[2]["type"]) == (409, "/problems/email-is-sign-in")
    asked = {"email": newer, "current_password": PASSWORD}
    keyed = {"Authorization": token, "Idempotency_Key": "change"}
    status, _, body = await platform.call(platform.auths[0], "POST", "/api/auth/email", asked, **keyed)
    assert status == 202, body
    # The same request at the other replica is answered from the record of the first.
    status, headers, _ = await platform.call(platform.auths[1], "POST", "/api/auth/email", asked, **keyed)
    assert (status, headers.get("Idempotent-Replayed")) == (202, "true")
    link = {"token": await mailed_token(tmp_path / "mail", newer, "/email/verify")}
    assert (await platform.call(platform.auths[1], "POST", "/api/auth/email/verify", link))[0] == 204
    async with asyncio.timeout(PATIENCE_S):
        while (await platform.own_member(token, at=1))[1]["email"] != newer:
            await asyncio.sleep(0.05)
    await platform.token(newer)

    # A deletion ends the account's sessions, at both replicas of auth.
    status, _, _ = await platform.call(platform.members[0], "DELETE", path, Authorization=token, If_Match="*")
    assert status == 204
    for auth in platform.auths:
        async with asyncio.timeout(PATIENCE_S):
            while (await platform.call(auth, "GET", "/api/auth/me", Authorization=token))[0] != 401:
                await asyncio.sleep(0.05)

    # Member is down while somebody registers, and auth is killed before it could deliver: the message survives both.
    await asyncio.gather(*(service.stop() for service in platform.members))
    _, token = await platform.register(at=1)
    await asyncio.gather(*(auth.stop(signal.SIGKILL) for auth in platform.auths))
    await asyncio.gather(*(service.start() for service in (*platform.auths, *platform.members)))
    member = await platform.own_member_in_time(token)
    assert member["version"] == 1

    # Twenty at once with one key, over both replicas, make one member.
    new = {"email": f"{uuid4().hex}@example.com", "name": "Only Once"}
    keyed = {"Authorization": admin, "Idempotency_Key": "twenty"}
    answers = await asyncio.gather(
        *(platform.call(platform.members[n % 2], "POST", "/api/members", new, **keyed) for n in range(20))
    )
    assert {status for status, _, _ in answers} == {201}
    assert len({body["id"] for _, _, body in answers}) == 1


@pytest.mark.timeout(240)
async def test_who_got_hold_of_an_access_token_does_not_get_the_account(
    platform: Platform, tmp_path: Path
) -> None:
    email, stolen = await platform.register()
    member = await platform.own_member_in_time(stolen)
    theirs = f"thief-of-{email}"
    calls: list[tuple[Service, str, str, Any]] = [
        (platform.members[0], "PATCH", f"/api/members/{member['id']}", {"email": theirs}),
        (platform.members[0], "PUT", f"/api/members/{member['id']}", {"email": theirs, "name": "Thief"}),
        (platform.auths[0], "POST", "/api/auth/email", {"email": theirs}),
        (platform.auths[0], "POST", "/api/auth/email", {"email": theirs, "current_password": "a guess"}),
        (platform.auths[0], "PUT", f"/api/auth/accounts/{member['id']}/email", {"email": theirs}),
    ]
    statuses = [(await platform.call(*call, Authorization=stolen, If_Match="*"))[0] for call in calls]
    assert statuses == [409, 409, 400, 400, 403]
    await platform.call(platform.auths[0], "POST", "/api/auth/password/forgot", {"email": theirs})
    await platform.call(platform.auths[0], "POST", "/api/auth/password/forgot", {"email": email})
    await mailed_token(tmp_path / "mail", email, "/password/reset")
    letters = [letter.read_text() for letter in (tmp_path / "mail").glob("*.eml")]
    assert not [letter for letter in letters if f"To: {theirs}" in letter]
    assert (await platform.own_member(stolen))[1] == member


@pytest.mark.timeout(240)
async def test_a_token_sent_straight_to_a_service_is_refused_once_its_session_has_ended(
    platform: Platform,
) -> None:
    _, token = await platform.register()
    for at in (0, 1):
        await platform.own_member_in_time(token, at)
    status, _, _ = await platform.call(platform.auths[0], "POST", "/api/auth/logout", Authorization=token)
    assert status == 204
    # Without a question to auth: both of its processes are gone.
    await asyncio.gather(*(auth.stop(signal.SIGKILL) for auth in platform.auths))
    async with asyncio.timeout(PATIENCE_S):
        for at in (0, 1):
            while (await platform.own_member(token, at))[0] != 401:
                await asyncio.sleep(0.005)
