"""A browser's session: tokens in cookies, nowhere else, and renewed unseen."""

import asyncio
import json
import logging
import time

import pytest
from aiohttp import web

from tests.frontend.conftest import Front, Start
from tests.frontend.doubles import access_token, refusal
from tests.waiting import until

CREDENTIALS = {"email": "test@example.com", "password": "password123"}
PRODUCTION = {"app_env": "production", "public_origin": "https://shop.example"}
AT_SHOP = {"Host": "shop.example"}


async def test_login_answers_with_cookies_and_without_tokens(front: Front) -> None:
    async with front.browser.post(f"{front.url}/api/auth/login", json=CREDENTIALS) as answer:
        body = await answer.json()
        cookies = answer.headers.getall("Set-Cookie")
    assert answer.status == 200
    assert body == {"expires_in": 600, "refresh_expires_in": 1209600}
    assert [cookie.partition("=")[0] for cookie in cookies] == ["access_token", "refresh_token"]
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert "; Path=/api;" in cookies[1]


async def test_production_cookies_are_secure_and_bound_to_the_host(start: Start) -> None:
    front = await start(**PRODUCTION)
    async with front.browser.post(f"{front.url}/api/auth/login", json=CREDENTIALS, headers=AT_SHOP) as answer:
        started = answer.headers.getall("Set-Cookie")
    async with front.browser.post(f"{front.url}/api/auth/refresh", headers=AT_SHOP) as ending:
        ended = ending.headers.getall("Set-Cookie")
    # A browser takes a __Host- cookie with these attributes alone, and one that ends it as well.
    for cookies in (started, ended):
        assert [cookie.partition("=")[0] for cookie in cookies] == [
            "__Host-access_token",
            "__Host-refresh_token",
        ]
        assert all("; Path=/;" in cookie and "; Secure" in cookie for cookie in cookies)
        assert all("HttpOnly" in cookie and "Domain" not in cookie for cookie in cookies)
    assert all("; Max-Age=0;" in cookie for cookie in ended)
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


@pytest.mark.parametrize("name", ["__Secure-refresh_token", "refresh_token"])
async def test_no_refresh_token_is_read_from_a_cookie_that_a_sibling_domain_may_set(
    start: Start, name: str
) -> None:
    """A visitor without a session would go on in the one that was planted."""
    front = await start(**PRODUCTION)
    front.auth.current = "of-somebody-else"
    planted = {**AT_SHOP, "Cookie": f"{name}={front.auth.current}"}
    async with front.browser.get(f"{front.url}/api/home", headers=planted) as answer:
        assert "Set-Cookie" not in answer.headers
    assert front.auth.refreshes == 0
    assert "Authorization" not in front.gateway.seen[0].headers


async def test_in_production_pages_and_static_files_pass_no_refresh_token_on(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes with every request there, and is for auth alone."""
    front = await start(**PRODUCTION)
    caplog.set_level(logging.DEBUG)
    refresh = "the-refresh-token-of-this-visitor"
    session = f"__Host-access_token={access_token()}; __Host-refresh_token={refresh}"
    answered = ""
    for path in ("/", "/account", "/members", "/sign-in", "/nowhere", "/static/x/y.css", "/api/home"):
        async with front.browser.get(
            front.url + path, headers={**AT_SHOP, "Cookie": session}, allow_redirects=False
        ) as answer:
            answered += f"{answer.headers} {await answer.text()}"
    sent = "".join(
        f"{seen.target} {seen.headers} {seen.body!r}" for seen in front.gateway.seen + front.auth_server.seen
    )
    assert front.gateway.seen and "Bearer " in sent
    assert refresh not in sent
    assert refresh not in answered
    assert any(record.name == "frontend_proxy.requests" for record in caplog.records)
    assert refresh not in "".join(str(vars(record)) for record in caplog.records)


async def test_refused_credentials_set_no_cookie(front: Front) -> None:
    body = {**CREDENTIALS, "password": "wrong"}
    async with front.browser.post(f"{front.url}/api/auth/login", json=body) as answer:
        assert answer.status == 401
        assert answer.content_type == "application/problem+json"
        assert "Set-Cookie" not in answer.headers


async def test_the_cookie_becomes_a_bearer_token_and_goes_no_further(front: Front) -> None:
    await front.sign_in()
    assert await _status(front, "/api/home") == 200
    sent = front.gateway.seen[0].headers
    assert sent["Authorization"] == f"Bearer {front.cookies('/')['access_token']}"
    assert "Cookie" not in sent


async def test_in_development_the_refresh_token_is_not_sent_outside_of_api(front: Front) -> None:
    await front.sign_in()
    assert set(front.cookies("/account")) == {"access_token"}
    assert set(front.cookies("/api/home")) == {"access_token", "refresh_token"}


async def test_a_refresh_token_of_another_session_is_not_believed(front: Front) -> None:
    """Only a sibling domain can have planted it: the visitor would go on in somebody else's session."""
    await front.sign_in()
    front.keep("/", access_token=access_token(expires_in=-1, session="the-visitors-own"))
    async with front.browser.get(f"{front.url}/api/home") as answer:
        assert answer.status == 200
        assert [cookie.partition(";")[0] for cookie in answer.headers.getall("Set-Cookie")] == [
            "access_token=",
            "refresh_token=",
        ]
    assert "Authorization" not in front.gateway.seen[0].headers


async def test_an_expired_access_token_is_renewed_before_anything_is_sent(front: Front) -> None:
    await front.sign_in()
    before = front.cookies("/api")["refresh_token"]
    front.keep("/", access_token=access_token(expires_in=-1))
    async with front.browser.post(f"{front.url}/api/members", data=b"streamed once") as answer:
        assert answer.status == 200
    assert [seen.body for seen in front.gateway.seen] == [b"streamed once"]
    assert front.auth.refreshes == 1
    assert front.cookies("/api")["refresh_token"] != before
    assert front.gateway.seen[0].headers["Authorization"] == f"Bearer {front.cookies('/')['access_token']}"


async def test_no_cache_keeps_an_answer_for_everybody_that_brings_somebodys_new_cookies(front: Front) -> None:
    async def public(_: web.Request) -> web.StreamResponse:
        lifetimes = {"Cache-Control": "public, max-age=60", "CDN-Cache-Control": "public, max-age=60"}
        return web.json_response({"items": []}, headers=lifetimes)

    front.gateway.answer = public
    await front.sign_in()
    front.keep("/", access_token=access_token(expires_in=-1))
    said = []
    for _ in ("renewed", "as it was"):
        async with front.browser.get(f"{front.url}/api/products") as answer:
            said.append(("Set-Cookie" in answer.headers, answer.headers.getall("Cache-Control")))
            assert ("CDN-Cache-Control" in answer.headers) != ("Set-Cookie" in answer.headers)
    assert said == [(True, ["no-store"]), (False, ["public, max-age=60"])]


async def test_concurrent_requests_share_one_renewal(front: Front) -> None:
    await front.sign_in()
    front.auth.refresh_takes = 1.0
    front.keep("/", access_token=access_token(expires_in=-1))
    assert await asyncio.gather(*(_status(front, "/api/home") for _ in range(20))) == [200] * 20
    assert front.auth.refreshes == 1
    assert len({seen.headers["Authorization"] for seen in front.gateway.seen}) == 1


async def test_a_visitor_who_leaves_does_not_take_the_renewal_along(front: Front) -> None:
    await front.sign_in()
    front.auth.refresh_takes = 1.0
    front.keep("/", access_token=access_token(expires_in=-1))
    leaving = asyncio.create_task(front.browser.get(f"{front.url}/api/home"))
    await until(lambda: front.auth.refreshes == 1)
    async with asyncio.TaskGroup() as group:
        staying = group.create_task(_status(front, "/api/home"))
        await asyncio.sleep(0.05)
        leaving.cancel()
    assert staying.result() == 200
    assert front.auth.refreshes == 1


async def test_a_401_for_a_live_looking_token_renews_and_repeats_a_request_without_a_body(
    front: Front,
) -> None:
    await front.sign_in()
    stale = front.cookies("/")["access_token"]

    async def gateway(request: web.Request) -> web.Response:
        if request.headers["Authorization"] == f"Bearer {stale}":
            return refusal(401)
        return web.json_response({})

    front.gateway.answer = gateway
    async with front.browser.get(f"{front.url}/api/home") as answer:
        assert answer.status == 200
    assert len(front.gateway.seen) == 2


async def test_a_401_after_a_streamed_body_is_passed_on_with_new_cookies_and_not_repeated(
    front: Front,
) -> None:
    await front.sign_in()
    stale = front.cookies("/")["access_token"]
    front.gateway.answer = lambda _: _refused()
    async with front.browser.post(f"{front.url}/api/members", data=b"once") as answer:
        assert answer.status == 401
    assert len(front.gateway.seen) == 1
    assert front.cookies("/")["access_token"] != stale


async def test_a_session_that_is_over_is_forgotten_and_the_request_goes_on_without_it(front: Front) -> None:
    await front.sign_in()
    front.auth.current = None
    front.keep("/", access_token=access_token(expires_in=-1))
    async with front.browser.get(f"{front.url}/api/catalog") as answer:
        assert answer.status == 200
    assert "Authorization" not in front.gateway.seen[0].headers
    assert front.cookies("/api") == {}


async def test_with_auth_away_the_session_is_kept_and_the_request_waits_for_better_times(
    front: Front,
) -> None:
    await front.sign_in()
    front.keep("/", access_token=access_token(expires_in=-1))
    front.auth_server.answer = lambda _: _refused(500)
    async with front.browser.get(f"{front.url}/api/home") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
    assert "refresh_token" in front.cookies("/api")
    assert front.gateway.seen == []


async def test_refresh_renews_by_cookie_and_answers_nothing_else(front: Front) -> None:
    await front.sign_in()
    before = front.cookies("/api")["refresh_token"]
    async with front.browser.post(f"{front.url}/api/auth/refresh") as answer:
        assert answer.status == 204
        assert await answer.read() == b""
    assert front.cookies("/api")["refresh_token"] != before


async def test_refresh_without_a_session_is_401_and_clears_cookies(front: Front) -> None:
    async with front.browser.post(f"{front.url}/api/auth/refresh") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
        assert all("Max-Age=0" in cookie for cookie in answer.headers.getall("Set-Cookie"))


async def test_logout_ends_the_session_at_auth_and_in_the_browser(front: Front) -> None:
    await front.sign_in()
    cookies = front.cookies("/api")
    async with front.browser.post(f"{front.url}/api/auth/logout") as answer:
        assert answer.status == 204
    assert front.auth.logged_out == [
        {"authorization": f"Bearer {cookies['access_token']}", "refresh_token": cookies["refresh_token"]}
    ]
    assert front.cookies("/api") == {}


@pytest.mark.parametrize(("status", "kept"), [(401, False), (429, True), (500, True), (503, True)])
async def test_logout_forgets_the_session_here_only_where_auth_has_none_any_more(
    front: Front, status: int, kept: bool
) -> None:
    await front.sign_in()
    front.auth_server.answer = lambda _: _refused(status)
    async with front.browser.post(f"{front.url}/api/auth/logout") as answer:
        assert answer.status == status
    assert bool(front.cookies("/api")) == kept


async def test_tokens_that_come_through_the_gateway_become_cookies_too(front: Front) -> None:
    """However auth is reached: an escaped path, a trailing slash, a call that is not known here."""
    front.gateway.answer = front.auth
    for path in ("/api/%61uth/login", "/api/auth/%6cogin", "/api/auth/sso/login"):
        async with front.browser.post(f"{front.url}{path}", json=CREDENTIALS) as answer:
            text = await answer.text()
        assert answer.status == 200
        assert "access_token" not in text and "refresh_token" not in text, path


async def test_a_page_renews_by_a_detour_and_keeps_its_form(front: Front) -> None:
    await front.sign_in()
    front.keep("/", access_token=access_token(expires_in=-1))
    front.gateway.answer = lambda _: _member()
    async with front.browser.post(
        f"{front.url}/account", data={"name": "Kim", "email": "a@b.example", "version": "3"}
    ) as answer:
        assert [step.status for step in answer.history] == [307, 307, 303]
        assert answer.status == 200
    patch = next(seen for seen in front.gateway.seen if seen.method == "PATCH")
    assert json.loads(patch.body)["name"] == "Kim"
    assert patch.headers["If-Match"] == '"3"'
    assert front.auth.refreshes == 1


async def test_a_page_does_not_go_in_circles_when_new_tokens_are_refused_as_well(front: Front) -> None:
    await front.sign_in()
    front.keep("/", access_token=access_token(issued=time.time() - 300))
    front.gateway.answer = lambda _: _refused()
    async with front.browser.get(f"{front.url}/account") as answer:
        assert [step.headers["Location"] for step in answer.history] == [
            "/api/auth/resume?next=/account",
            "/account",
            "/sign-in?next=/account",
        ]
        assert answer.status == 200
    assert front.cookies("/api") == {}


async def test_a_page_does_not_go_in_circles_where_the_fronts_clock_is_ahead(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    await front.sign_in()
    front.keep("/", access_token=access_token(expires_in=-1))
    front.auth.expires_in = -1  # as that clock sees it
    async with front.browser.get(f"{front.url}/account") as answer:
        assert [step.headers["Location"] for step in answer.history] == [
            "/api/auth/resume?next=/account",
            "/unavailable?next=/account",
        ]
        assert answer.status == 503
    assert "clock" in caplog.text
    assert front.cookies("/api") != {}, "the session is good"


async def test_resume_leads_only_to_this_site(front: Front) -> None:
    await front.sign_in()
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/%2fevil", "javascript:x"):
        async with front.browser.get(
            f"{front.url}/api/auth/resume", params={"next": target}, allow_redirects=False
        ) as answer:
            assert answer.headers["Location"] == "/", target


async def _refused(status: int = 401) -> web.Response:
    return refusal(status)


async def _member() -> web.Response:
    member = {"id": "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d", "name": "Kim", "email": "a@b.example"}
    return web.json_response({**member, "version": 3})


async def _status(front: Front, path: str) -> int:
    async with front.browser.get(front.url + path) as answer:
        await answer.read()
        return answer.status
