"""A form that is refused says why in the visitor's language, beside the field; an API's own text is for developers."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.test_pages import MEMBER

OWN_TEXT = "Expected `str` matching regex '^x$'"

FORMS: dict[str, dict[str, str]] = {
    "/register": {"name": "x", "email": "x", "password": "x"},
    "/account": {"name": "x", "phone": "x", "version": "3"},
    "/account/email": {"email": "x", "current_password": "x"},
    "/account/addresses": {
        "recipient": "x",
        "line1": "x",
        "line2": "x",
        "city": "x",
        "postal_code": "x",
        "country": "x",
        "version": "3",
    },
    "/account/password": {"current_password": "x", "new_password": "x"},
    "/members/new": {"name": "x", "email": "x", "phone": "x", "grade": "x"},
    f"/members/{MEMBER['id']}": {"name": "x", "email": "x", "phone": "x", "grade": "x", "version": "3"},
    f"/members/{MEMBER['id']}/email": {"email": "x", "current_password": "x"},
    "/password/forgot": {"email": "x"},
    "/password/reset": {"new_password": "x", "token": "x"},
}
HIDDEN = {"version", "token"}


def errors(path: str, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    prefix = "addresses.0." if path.endswith("addresses") else ""
    return [
        {"field": prefix + name, "code": "too_long", "params": {"max": 4711}, "message": OWN_TEXT}
        for name in fields
        if name not in HIDDEN
    ]


@pytest.mark.parametrize(
    ("language", "sentence"), [("ko", "4711자 이하로"), ("en", "at most 4711 characters")]
)
@pytest.mark.parametrize("path", FORMS)
async def test_each_field_of_each_form_shows_its_own_sentence(
    front: Front, path: str, language: str, sentence: str
) -> None:
    await front.sign_in()
    fields = FORMS[path]

    async def upstream(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({**MEMBER, "has_account": path.endswith("/email")})
        document = {"type": "about:blank", "detail": OWN_TEXT, "errors": errors(path, fields)}
        return web.json_response(document, status=400)

    front.gateway.answer = front.auth_server.answer = upstream
    headers = {"Accept": "text/html", "Accept-Language": language}
    async with front.browser.post(front.url + path, data=fields, headers=headers) as answer:
        html = await answer.text()
        assert answer.status == 400
    assert html.count(sentence) == len(fields) - len(HIDDEN & set(fields))
    assert "Expected" not in html and "regex" not in html
    for name in fields:
        if name not in HIDDEN and "password" not in name and name != "grade":
            assert f'id="e-{name}"' in html


async def test_a_form_that_is_no_utf_8_is_refused_and_not_stored_with_signs_for_what_was_lost(
    front: Front,
) -> None:
    await front.sign_in()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    for body in (b"name=%FF", b"name=\xff"):
        async with front.browser.post(f"{front.url}/account", data=body, headers=headers) as answer:
            assert answer.status == 400
    assert front.gateway.seen == []


@pytest.mark.parametrize(
    ("sent", "consents"),
    [("on", True), ("off", False), ("false", False), ("0", False), ("", False), (None, False)],
)
async def test_only_a_checked_box_is_consent(front: Front, sent: str | None, consents: bool) -> None:
    await front.sign_in()
    stored: list[Any] = []

    async def member(request: web.Request) -> web.Response:
        if request.method == "PATCH":
            stored.append((await request.json())["marketing_consent"])
        return web.json_response(MEMBER)

    front.gateway.answer = member
    data = {**FORMS["/account"], **({} if sent is None else {"marketing_consent": sent})}
    async with front.browser.post(f"{front.url}/account", data=data, allow_redirects=False) as answer:
        assert answer.status == 303
    assert stored == [consents]


@pytest.mark.parametrize("number", ["7", "00", "-1", "", "x"])
async def test_an_address_that_is_not_there_is_not_said_to_be_removed(front: Front, number: str) -> None:
    await front.sign_in()
    address = {
        "recipient": "Kim",
        "line1": "x",
        "line2": "",
        "city": "x",
        "postal_code": "x",
        "country": "KR",
    }

    async def member(request: web.Request) -> web.Response:
        assert request.method == "GET"
        return web.json_response({**MEMBER, "addresses": [address]})

    front.gateway.answer = member
    data = {"version": "3", "number": number}
    url = f"{front.url}/account/addresses/remove"
    async with front.browser.post(url, data=data, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/account/addresses")


async def test_a_media_type_is_compared_without_case(front: Front) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-Urlencoded; Charset=UTF-8"}
    url = f"{front.url}/language"
    async with front.browser.post(url, data=b"language=ko", headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303
