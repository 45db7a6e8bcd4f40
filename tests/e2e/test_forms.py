"""Every form of the site with what people and programs put into forms: a page in the visitor's language, never a
validator's text, and nothing stored that does not show."""

from __future__ import annotations

import re

import httpx
import pytest

from common import visible_text
from tests.e2e import people
from tests.e2e.stack import Stack

INPUTS = {
    "empty": "",
    "spaces": "   ",
    "no-break spaces": "\u00a0\u3000",
    "zero-width space": "\u200b",
    "Hangul filler": "\u3164",
    "Braille blank": "\u2800",
    "a mark alone": "\u0301",
    "a bidi override alone": "\u202e",
    "tags alone": "\U000e0041",
    "NUL": "a\x00b",
    "escape": "\x1b[31mred",
    "overlong": "x" * 101,
    "very long": "한" * 5000,
    "emoji": "👩\u200d🚀",
    "right to left": "مرحبا بالعالم",
    "an override inside": "a\u202ebc",
    "markup": "<script>alert(1)</script>",
    "a replacement sign": "\ufffd",
    "a noncharacter": "\uffff",
}
FORMS: dict[str, tuple[str, ...]] = {
    "/register": ("name", "email", "password"),
    "/sign-in": ("email",),
    "/account": ("name", "phone"),
    "/account/email": ("email",),
    "/account/addresses": ("recipient", "line1", "line2", "city", "postal_code", "country"),
    "/account/password": ("new_password",),
    "/members/new": ("name", "email", "phone", "grade"),
    "/password/forgot": ("email",),
    "/password/reset": ("new_password", "token"),
    "/email/verify": ("token",),
}
"""The fields that take each of the inputs; the form's other ones are valid."""
VALID = {
    "name": "Kim Minji",
    "password": "a long and private sentence",
    "new_password": "a long and private sentence",
    "phone": "010-1234-5678",
    "recipient": "Kim Minji",
    "line1": "Sejong-daero 110",
    "line2": "",
    "city": "Seoul",
    "postal_code": "04524",
    "country": "KR",
    "grade": "gold",
    "token": "unknown",
}
VALIDATORS = re.compile(
    r"Expected `|regex|matching|Invalid (?:enum|UUID)|length [<>]=|Traceback|The part after|must have|must hold"
)
KOREAN = {"Accept": "text/html", "Accept-Language": "ko"}


def browser(stack: Stack, **cookies: str) -> httpx.Client:
    return httpx.Client(base_url=stack.frontend_url, headers=KOREAN, cookies=cookies, timeout=30)


@pytest.fixture(scope="module")
def session(stack: Stack) -> dict[str, str]:
    """The cookies of a person whose profile these tests may spoil."""
    with browser(stack) as client:
        answer = client.post("/register", data={**VALID, "email": people.new_member()["email"]})
        assert answer.status_code == 303
        return dict(client.cookies)


@pytest.fixture(scope="module")
def administration(stack: Stack) -> dict[str, str]:
    with browser(stack) as client:
        client.post("/sign-in", data={"email": people.ADMIN[0], "password": people.ADMIN[1]})
        return dict(client.cookies)


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("path", FORMS)
def test_no_input_shows_a_validators_text_or_breaks_a_page(
    stack: Stack, session: dict[str, str], administration: dict[str, str], path: str, kind: str
) -> None:
    cookies = session if path.startswith("/account") else administration if path == "/members/new" else {}
    for field in FORMS[path]:
        person = people.new_member()
        data = {**VALID, **person, "current_password": "a guess", field: INPUTS[kind]}
        if field == "name" and not visible_text.is_blank(INPUTS[kind]):
            data["name"] += person["name"]  # Other tests tell members apart by their names.
        with browser(stack, **cookies) as client:
            version = re.search(r'name="version" value="(\d+)"', client.get(path).text)
            data["version"] = version[1] if version else ""
            answer = client.post(path, data=data)
        assert answer.status_code < 500, field
        if answer.status_code in {303, 307}:
            continue
        assert "text/html" in answer.headers["Content-Type"], field
        assert not VALIDATORS.search(answer.text), (field, VALIDATORS.search(answer.text))
        for error in re.findall(r'class="error"[^>]*>([^<]*)<', answer.text):
            assert re.search("[가-힣]", error), (field, error)


@pytest.mark.parametrize("kind", [kind for kind, text in INPUTS.items() if visible_text.is_blank(text)])
@pytest.mark.parametrize("path", ["/register", "/members/new"])
def test_a_name_that_shows_nothing_is_refused_beside_its_field(
    stack: Stack, administration: dict[str, str], path: str, kind: str
) -> None:
    data = {**VALID, "email": people.new_member()["email"], "name": INPUTS[kind]}
    with browser(stack, **(administration if path == "/members/new" else {})) as client:
        answer = client.post(path, data=data)
    assert answer.status_code == 400
    assert re.search(r'id="e-name">[^<]*입력해 주세요', answer.text)
