"""The pages of an e-mail address: one's own, and an administrator's of somebody else."""

import json
from typing import Any

import pytest
from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.test_pages import MEMBER, page

ACCOUNT: dict[str, Any] = {"id": MEMBER["id"], "email": "minji@example.com", "pending_email": None}
OWNER: dict[str, Any] = {**MEMBER, "has_account": True}
KEY = "11111111-2222-4333-8444-555555555555"
ASKED = {"email": "new@example.com", "current_password": " secret ", "idempotency_key": KEY}


def answering(front: Front, document: dict[str, Any], status: int, problem: str = "about:blank") -> None:
    """Reads give `document`, changes `status`; auth's calls may go to either upstream."""

    async def upstream(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(document)
        if status < 400:
            return web.Response(status=status)
        return web.json_response({"type": problem, "errors": []}, status=status)

    front.gateway.answer = front.auth_server.answer = upstream


async def send(front: Front, path: str, fields: dict[str, str], language: str = "en") -> tuple[int, str, str]:
    """The status, where it leads, and the page."""
    headers = {"Accept": "text/html", "Accept-Language": language}
    async with front.browser.post(
        front.url + path, data=fields, headers=headers, allow_redirects=False
    ) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


def changes(front: Front) -> list[Any]:
    return [seen for seen in front.gateway.seen if seen.method not in {"GET", "HEAD"}]


async def test_the_address_is_asked_for_with_the_password_and_a_key(front: Front) -> None:
    await front.sign_in()
    answering(front, ACCOUNT, 202)
    assert (await send(front, "/account/email", ASKED))[:2] == (303, "/account/email?done=asked")
    [seen] = changes(front)
    assert (seen.method, seen.target) == ("POST", "/api/auth/email")
    assert json.loads(seen.body) == {"email": "new@example.com", "current_password": " secret "}
    assert seen.headers["Idempotency-Key"] == KEY


@pytest.mark.parametrize(
    ("language", "waits", "button"),
    [("en", "Waiting to be confirmed:", "Take the change back"), ("ko", "확인 대기 중:", "변경 취소")],
)
async def test_a_pending_address_is_shown_and_can_be_taken_back(
    front: Front, language: str, waits: str, button: str
) -> None:
    await front.sign_in()
    answering(front, ACCOUNT, 204)
    headers = {"Accept-Language": language}
    before = await page(front, "/account/email", headers=headers)
    assert waits not in before and button not in before and "minji<wbr>@" in before
    answering(front, {**ACCOUNT, "pending_email": "new@example.com"}, 204)
    html = await page(front, "/account/email", headers=headers)
    assert waits in html and button in html
    assert 'value="new@example.com"' in html  # to have it mailed again
    assert (await send(front, "/account/email/withdraw", {}))[:2] == (303, "/account/email?done=withdrawn")
    [seen] = changes(front)
    assert (seen.method, seen.target) == ("DELETE", "/api/auth/email")


@pytest.mark.parametrize(
    ("path", "document"), [("/account/email", ACCOUNT), (f"/members/{MEMBER['id']}/email", OWNER)]
)
@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "belongs to another member"), ("ko", "다른 회원이 사용 중인")]
)
async def test_a_taken_address_is_said_and_what_was_typed_stays_but_for_the_password(
    front: Front, path: str, document: dict[str, Any], language: str, sentence: str
) -> None:
    await front.sign_in()
    answering(front, document, 409)
    status, _, html = await send(front, path, ASKED, language)
    assert (status, sentence in html, 'value="new@example.com"' in html) == (409, True, True)
    assert "secret" not in html


async def test_ones_own_profile_form_changes_no_address(front: Front) -> None:
    await front.sign_in()
    answering(front, OWNER, 200)
    html = await page(front, "/account")
    assert 'name="email"' not in html and 'href="/account/email"' in html
    form = {"name": "Kim", "email": "thief@example.com", "phone": "", "version": "3"}
    await send(front, "/account", form)
    [seen] = changes(front)
    assert "email" not in json.loads(seen.body)


async def test_an_administrator_changes_an_accounts_address_on_a_page_of_its_own(front: Front) -> None:
    await front.sign_in()
    here = f"/members/{MEMBER['id']}"
    answering(front, OWNER, 204)
    html = await page(front, here)
    assert 'name="email"' not in html and f'href="{here}/email"' in html
    assert "Your own password" in await page(front, f"{here}/email")
    assert (await send(front, f"{here}/email", ASKED))[:2] == (303, "/members?done=email")
    [seen] = changes(front)
    assert (seen.method, seen.target) == ("PUT", f"/api/auth/accounts/{MEMBER['id']}/email")
    assert json.loads(seen.body) == {"email": "new@example.com", "current_password": " secret "}


async def test_a_member_without_an_account_has_its_address_in_the_form_and_no_page_for_it(
    front: Front,
) -> None:
    await front.sign_in()
    here = f"/members/{MEMBER['id']}"
    answering(front, MEMBER, 200)
    assert 'name="email"' in await page(front, here)
    await page(front, f"{here}/email", status=404)


@pytest.mark.parametrize(
    ("status", "sentence"), [(400, "has been used"), (409, "Somebody else has this e-mail")]
)
async def test_a_link_that_confirms_nothing_says_why(front: Front, status: int, sentence: str) -> None:
    answering(front, {}, status)
    code, _, html = await send(front, "/email/verify", {"token": "abc"})
    assert (code, sentence in html) == (status, True)
