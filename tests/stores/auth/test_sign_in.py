"""Signing in, refreshing and signing out, over HTTP and on real stores."""

from typing import Any

from services.auth.app import build
from services.auth.settings import Settings
from tests.in_process import running
from tests.stores.auth.calls import DEMO, Client, bearer, sign_in


async def test_the_demo_account_signs_in_and_is_who_it_says(client: Client) -> None:
    tokens = await sign_in(client)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600
    me = await client.get("/api/auth/me", headers=bearer(tokens))
    assert me.status_code == 200
    assert me.json()["id"] == "00000000-0000-4000-8000-000000000001"
    assert me.json()["roles"] == ["admin", "member"]
    assert "password" not in me.text


async def test_tokens_are_not_cached(client: Client) -> None:
    """RFC 6749 §5.1; and the gateway's idempotency relies on it, so as not to keep tokens in its store."""
    login = await client.post("/api/auth/login", json=DEMO)
    refresh = await client.post("/api/auth/refresh", json={"refresh_token": login.json()["refresh_token"]})
    assert [answer.status_code for answer in (login, refresh)] == [200, 200]
    assert {answer.headers["Cache-Control"] for answer in (login, refresh)} == {"no-store"}


async def test_unknown_account_and_wrong_password_are_answered_alike(client: Client) -> None:
    wrong = await client.post("/api/auth/login", json=DEMO | {"password": "not the password"})
    unknown = await client.post("/api/auth/login", json=DEMO | {"email": "nobody@example.com"})
    malformed = await client.post("/api/auth/login", json=DEMO | {"email": "no address\x00"})
    assert {answer.status_code for answer in (wrong, unknown, malformed)} == {401}
    told = [
        {key: value for key, value in answer.json().items() if key != "request_id"}
        for answer in (wrong, unknown, malformed)
    ]
    assert told[0] == told[1] == told[2]
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert wrong.headers["Content-Type"] == "application/problem+json"


async def test_a_signed_out_token_is_refused_at_once(client: Client) -> None:
    tokens = await sign_in(client)
    out = await client.post("/api/auth/logout", headers=bearer(tokens))
    assert out.status_code == 204
    again = await client.get("/api/auth/verify", headers=bearer(tokens))
    assert again.status_code == 401
    assert 'error="invalid_token"' in again.headers["WWW-Authenticate"]
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401


async def test_verify_tells_the_claims(client: Client) -> None:
    tokens = await sign_in(client)
    for method in ("GET", "POST"):
        answer = await client.request(method, "/api/auth/verify", headers=bearer(tokens))
        assert answer.status_code == 200
        assert answer.json()["active"] is True
        assert answer.json()["sub"] == "00000000-0000-4000-8000-000000000001"
        assert answer.json()["roles"] == ["admin", "member"]


async def test_a_refresh_gives_a_new_pair_of_the_same_session(client: Client) -> None:
    first = await sign_in(client)
    answer = await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    before = await client.get("/api/auth/verify", headers=bearer(first))
    after = await client.get("/api/auth/verify", headers=bearer(second))
    assert before.json()["sid"] == after.json()["sid"]


async def test_signing_out_ends_what_either_token_names_and_repeats_harmlessly(client: Client) -> None:
    by_refresh, by_both = await sign_in(client), await sign_in(client)
    body = {"refresh_token": by_refresh["refresh_token"]}
    for _ in range(2):
        out = await client.post("/api/auth/logout", json=body, headers=bearer(by_both))
        assert out.status_code == 204
    for tokens in (by_refresh, by_both):
        assert (await client.get("/api/auth/verify", headers=bearer(tokens))).status_code == 401


async def test_signing_out_without_anything_known_is_no_error(client: Client) -> None:
    made_up: list[dict[str, Any]] = [
        {},
        {"json": {}},
        {"json": {"refresh_token": None}},
        {"json": {"refresh_token": "made up"}},
        {"headers": {"Authorization": "Bearer made.up.token"}},
        {"headers": {"Authorization": "Basic dGVzdA=="}},
    ]
    for request in made_up:
        assert (await client.post("/api/auth/logout", **request)).status_code == 204


async def test_the_document_names_every_operation_once(client: Client) -> None:
    document = (await client.get("/docs/openapi.json")).json()
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert {"login", "register", "refresh", "logout", "verify", "getMe", "getJwks"} <= set(ids)


async def test_the_schemes_case_does_not_matter_and_nothing_else_passes_for_it(client: Client) -> None:
    tokens = await sign_in(client)
    token = tokens["access_token"]
    spelled = {
        f"bearer {token}": 200,
        f"BEARER {token}": 200,
        f"Bearer  {token}": 200,
        f"Bearer {token} x": 401,
        f"Bearer {token}, Bearer {token}": 401,
        f"Bearer:{token}": 401,
        f"Token {token}": 401,
        f"Basic {token}": 401,
        token: 401,
        "Bearer": 401,
        "": 401,
    }
    for value, status in spelled.items():
        answer = await client.get("/api/auth/verify", headers={"Authorization": value})
        assert answer.status_code == status, value
        assert status == 200 or answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_several_authorization_lines_are_refused_whichever_is_good(client: Client) -> None:
    good = ("Authorization", bearer(await sign_in(client))["Authorization"])
    bad = ("Authorization", "Bearer made.up.token")
    for lines in ([good, bad], [bad, good], [good, good]):
        assert (await client.get("/api/auth/verify", headers=lines)).status_code == 400


async def test_an_expired_token_is_refused_and_still_signs_its_session_out(settings: Settings) -> None:
    clock = [1_800_000_000.0]
    async with running(build(settings, clock=lambda: clock[0])) as client:
        tokens = await sign_in(client)
        clock[0] += settings.access_token_seconds
        assert (await client.get("/api/auth/verify", headers=bearer(tokens))).status_code == 401
        assert (await client.post("/api/auth/logout", headers=bearer(tokens))).status_code == 204
        body = {"refresh_token": tokens["refresh_token"]}
        assert (await client.post("/api/auth/refresh", json=body)).status_code == 401
