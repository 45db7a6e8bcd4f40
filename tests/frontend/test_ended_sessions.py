"""A session that has ended, by a sign-out elsewhere, while its access token has minutes left to live."""

import inspect
import time
from collections.abc import Iterator

from aiohttp import web
from litestar import Controller
from litestar.handlers import HTTPRouteHandler

from frontend_proxy import app
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal
from tests.frontend.shopping import look

NEED_A_SESSION = {"member", "admin"}
"""Names of parameters, as pages/dependencies.py gives them."""
ID = "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12"


def pages() -> Iterator[str]:
    """An address of each page that needs an account."""
    for controller in vars(app).values():
        if not inspect.isclass(controller) or not issubclass(controller, Controller):
            continue
        for handler in vars(controller).values():
            if not isinstance(handler, HTTPRouteHandler) or "GET" not in handler.http_methods:
                continue
            if NEED_A_SESSION.isdisjoint(inspect.signature(handler.fn).parameters):
                continue
            for path in handler.paths:
                parts = [part for part in f"{vars(controller)['path']}/{path}".split("/") if part]
                yield "/" + "/".join(
                    (ID if ":uuid" in part else "1") if ":" in part else part for part in parts
                )


async def test_no_page_of_an_account_is_shown_to_a_session_that_has_ended(front: Front) -> None:
    async def ended(_: web.Request) -> web.StreamResponse:
        return refusal(401)

    front.gateway.answer = ended
    token = access_token(roles=("admin",), issued=time.time() - 60)
    front.keep("/", access_token=token)
    found = list(pages())
    assert {"/account/password", "/members/new", "/admin/categories", "/admin/products/new"} <= set(found)
    shown = {path: (await look(front, path))[0] for path in found}
    assert {path: status for path, status in shown.items() if status not in {303, 307}} == {}


async def test_a_page_that_asks_for_nothing_else_is_shown_while_nobody_can_tell(front: Front) -> None:
    async def away(_: web.Request) -> web.StreamResponse:
        return refusal(503)

    front.gateway.answer = away
    front.keep("/", access_token=access_token(roles=("admin",)))
    for path in ("/account/password", "/members/new"):
        assert (await look(front, path))[0] == 200
