"""The shopkeeper's menu: who sees it, where it leads, and what all others are answered."""

import re

import pytest
from aiohttp import web

from frontend_proxy.pages.admin.navigation import SECTIONS
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal
from tests.frontend.shopping import Said, gateway, look

MEMBERS: dict[str, Said] = {"GET /api/members": {"items": [], "next_cursor": None}}


async def test_the_menu_has_every_section_and_marks_the_one_at_hand(front: Front) -> None:
    front.keep("/", access_token=access_token(roles=("admin",)))
    front.gateway.answer = gateway(MEMBERS)
    _, text = await look(front, "/members")
    menu = re.search(r'<nav class="shelves" aria-label="Shopkeeper.*?</nav>', text, re.DOTALL)
    assert menu is not None
    assert re.findall(r'href="([^"]+)"', menu[0]) == [address for _, address in SECTIONS]
    assert re.findall(r'href="([^"]+)" aria-current="page"', menu[0]) == ["/members"]


@pytest.mark.parametrize("address", [address for _, address in SECTIONS])
async def test_every_section_is_there_and_only_for_administrators(front: Front, address: str) -> None:
    async def refused(_: web.Request) -> web.Response:
        return refusal(403)

    front.gateway.answer = refused

    async def answer() -> tuple[int, str]:
        status, text = await look(front, address)
        return status, re.sub(r"<code>.*?</code>", "", text)  # the request's id

    assert (await answer())[0] == 303, "somebody without a session signs in"
    front.keep("/", access_token=access_token(roles=("guest",)))
    assert (await answer())[0] == 303, "a guest signs in"
    front.keep("/", access_token=access_token())
    status, text = await answer()
    assert status == 403 and "You do not have access to this." in text and "Shopkeeper" not in text
    front.keep("/", access_token=access_token(roles=("admin",)))
    assert (await answer())[0] != 404


async def test_only_administrators_are_shown_the_way(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/orders": {"items": [], "next_cursor": None}})
    shown = []
    for roles in ((), ("guest",), ("admin",)):
        front.keep("/", access_token=access_token(roles=roles))
        shown.append(f'<a href="{SECTIONS[0][1]}"' in (await look(front, "/orders"))[1])
    assert shown == [False, False, True]
