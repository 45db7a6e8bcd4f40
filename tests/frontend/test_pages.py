"""Pages between a browser and upstreams that answer well, badly, or not at all."""

import json
from typing import Any

import pytest
from aiohttp import web

from tests.frontend.conftest import Front, Start
from tests.frontend.doubles import Answer, refusal

MEMBER: dict[str, Any] = {
    "id": "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d",
    "name": "Kim Minji",
    "email": "minji@example.com",
    "phone": None,
    "grade": "gold",
    "addresses": [],
    "marketing_consent": False,
    "marketing_consent_at": None,
    "created_at": "2026-03-01T09:00:00Z",
    "updated_at": "2026-03-01T09:00:00Z",
    "version": 3,
    "has_account": False,
}
HOME: dict[str, Any] = {
    "categories": [],
    "offers": [],
    "arrivals": [],
    "member": MEMBER,
    "last_order": None,
    "degraded": [],
}


def answers(**by_path: object) -> Answer:
    """A gateway that answers each path (its last segment) with a document, or with a status."""

    async def answer(request: web.Request) -> web.Response:
        found = by_path.get(request.path.rpartition("/")[2], 404)
        return refusal(found) if isinstance(found, int) else web.json_response(found)

    return answer


async def page(front: Front, path: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    accepting = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **(headers or {})}
    async with front.browser.get(front.url + path, headers=accepting) as answer:
        assert answer.status == status
        assert answer.content_type == "text/html"
        return await answer.text()


async def test_home_greets_the_member(front: Front) -> None:
    await front.sign_in()
    front.gateway.answer = answers(storefront=HOME)
    assert "Hello, Kim Minji" in await page(front, "/")
    assert "Kim Minji님, 안녕하세요" in await page(front, "/", headers={"Accept-Language": "ko"})


async def test_a_missing_source_leaves_the_rest_of_home_standing(front: Front) -> None:
    await front.sign_in()
    front.gateway.answer = answers(
        storefront={**HOME, "member": None, "arrivals": None, "degraded": ["arrivals", "member"]},
        me={"name": "Kim of auth"},
    )
    html = await page(front, "/")
    assert "Hello, Kim of auth" in html
    assert "The products could not be loaded." in html
    assert 'href="/account"' in html


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_home_without_its_screens_says_so(front: Front, status: int) -> None:
    await front.sign_in()
    front.gateway.answer = answers(storefront=status)
    assert "The products could not be loaded." in await page(front, "/")


async def test_a_failing_api_is_an_error_page_with_a_way_on_and_the_requests_id(front: Front) -> None:
    await front.sign_in()
    front.gateway.answer = answers(me=503)
    html = await page(front, "/account", 503, headers={"X-Request-Id": "journey-0002"})
    assert "journey-0002" in html
    assert 'href="/account"' in html, "no way to try again"


async def test_what_people_call_themselves_stays_text(front: Front) -> None:
    await front.sign_in()
    name = "<script>alert(1)</script>\"'>{{7*7}}"
    front.gateway.answer = answers(
        storefront={**HOME, "member": {**MEMBER, "name": name}}, me={**MEMBER, "name": name}
    )
    for path in ("/", "/account"):
        html = await page(front, path)
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;{{7*7}}" in html


async def test_pages_that_do_not_exist_and_methods_that_do_not_fit(front: Front) -> None:
    assert "This page does not exist" in await page(front, "/nowhere", 404)
    assert "페이지를 찾을 수 없습니다" in await page(
        front, "/nowhere", 404, headers={"Accept-Language": "ko"}
    )
    async with front.browser.put(f"{front.url}/account") as answer:
        assert answer.status == 405
    async with front.browser.head(f"{front.url}/sign-in") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_a_program_is_told_of_a_missing_page_as_a_problem(front: Front) -> None:
    for accept in ("*/*", "application/json"):
        async with front.browser.get(f"{front.url}/nowhere", headers={"Accept": accept}) as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")
            document = await answer.json()
        assert document["instance"] == "/nowhere"
        assert document["request_id"] == answer.headers["X-Request-Id"]
    async with front.browser.put(f"{front.url}/account") as answer:
        assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


async def test_a_page_whose_upstream_is_away_says_when_to_come_again(start: Start) -> None:
    front = await start(gateway_url="http://127.0.0.1:1")
    await front.sign_in()
    async with front.browser.get(f"{front.url}/account", headers={"Accept": "text/html"}) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
        assert answer.headers["Retry-After"] == "2"
        assert 'href="/account"' in await answer.text()


async def test_sign_in_leads_only_to_this_site(front: Front) -> None:
    for target, expected in (
        ("/account?a=b", "/account?a=b"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
    ):
        form = {"email": "test@example.com", "password": "password123", "next": target}
        async with front.browser.post(f"{front.url}/sign-in", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, expected)


async def test_a_registration_sends_the_forms_key_and_signs_in(front: Front) -> None:
    key = "0b0f3a0e-9d0c-4f57-8f54-3b3a6bb5f8f1"
    form = {"name": "Kim", "email": "a@b.example", "password": "password123", "idempotency_key": key}
    async with front.browser.post(f"{front.url}/register", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    register, login = front.auth_server.seen
    assert register.headers["Idempotency-Key"] == key
    assert json.loads(login.body) == {"email": "a@b.example", "password": "password123"}
    assert "access_token" in front.cookies("/")


async def test_every_form_has_a_key_of_its_own(front: Front) -> None:
    first, second = [await page(front, "/register") for _ in range(2)]
    assert first.count("idempotency_key") == 1
    assert first != second


async def test_signing_out_with_auth_away_still_forgets_the_session_here(front: Front) -> None:
    await front.sign_in()
    front.auth_server.answer = answers()
    async with front.browser.post(f"{front.url}/sign-out") as answer:
        assert "The server could not be told" in await answer.text()
    assert front.cookies("/api") == {}


async def test_a_second_click_on_save_is_saved_too(front: Front) -> None:
    """The first click's change is stored, so the second one's version is stale, but nothing is missing."""
    await front.sign_in()

    async def gateway(request: web.Request) -> web.Response:
        return refusal(412) if request.method == "PATCH" else web.json_response({**MEMBER, "version": 4})

    front.gateway.answer = gateway
    form = {"name": "Kim Minji", "phone": "", "version": "3"}
    async with front.browser.post(f"{front.url}/account", data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/account?done=saved"


async def test_mailed_links_are_used_by_the_button_alone(front: Front) -> None:
    for path in ("/email/verify?token=abc", "/password/reset?token=abc"):
        assert 'value="abc"' in await page(front, path)
    assert front.gateway.seen == []


async def test_the_language_is_kept_as_chosen(front: Front) -> None:
    form = {"language": "ko", "next": "/sign-in"}
    async with front.browser.post(f"{front.url}/language", data=form) as answer:
        assert "다시 만나서 반갑습니다." in await answer.text()
    form = {"language": "../en", "next": "/sign-in"}
    async with front.browser.post(f"{front.url}/language", data=form) as answer:
        assert 'lang="ko"' in await answer.text()


async def test_static_files_of_another_release_are_not_served(front: Front) -> None:
    async with front.browser.get(f"{front.url}/static/0123456789abcdef/css/site.css") as answer:
        assert answer.status == 404


async def test_readiness_names_what_is_away(front: Front) -> None:
    async with front.browser.get(f"{front.url}/health/ready") as answer:
        assert await answer.json() == {"status": "ok", "checks": {"auth": "ok", "gateway": "ok"}}


async def test_a_page_passes_its_visitors_user_agent_on_byte_for_byte(front: Front) -> None:
    await front.sign_in()
    front.gateway.answer = answers(storefront=HOME)
    await page(front, "/", headers={"User-Agent": "쇼핑앱/1.0"})
    assert front.gateway.seen[-1].headers["User-Agent"] == "쇼핑앱/1.0"


async def test_a_device_list_shows_names_in_any_script(front: Front) -> None:
    await front.sign_in()
    moment = "2026-11-24T10:00:00Z"
    session = {"id": "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d", "address": "203.0.113.7", "current": False}
    session |= {"device": "쇼핑앱/1.0", "created_at": moment, "last_seen_at": moment}
    front.gateway.answer = answers(sessions={"items": [session]})
    assert "쇼핑앱" in await page(front, "/account/sessions")


async def test_a_problems_type_leads_to_its_document(front: Front) -> None:
    async with front.browser.get(front.url + "/problems/cross-site-request") as answer:
        assert (answer.status, answer.content_type) == (200, "text/plain")
        assert "# " in await answer.text()
    async with front.browser.get(front.url + "/problems/nothing") as answer:
        assert answer.status == 404
