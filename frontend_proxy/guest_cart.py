"""When a guest signs in, their cart comes along."""

import logging

import msgspec
from multidict import CIMultiDict

from frontend_proxy import access_tokens
from frontend_proxy.problems import Problem
from frontend_proxy.request_context import RequestContext
from frontend_proxy.upstream import Upstream

log = logging.getLogger("frontend_proxy.guest_cart")

ATTEMPTS = 2
MAX_ANSWER = 1024 * 1024


class _Line(msgspec.Struct):
    quantity: int


class _Cart(msgspec.Struct):
    lines: list[_Line]


async def merge(gateway: Upstream, context: RequestContext, access: str) -> int | None:
    """Puts the cart of the guest's session that the request came in into that of the session of `access`, once however
    often it is asked for. How many things are in it then; None where there is no guest, or it did not work: signing in
    does not fail for it."""
    guest = context.sent_tokens.access
    if (
        guest is None
        or guest == access
        or not access_tokens.of_guest(guest)
        or access_tokens.of_guest(access)
    ):
        return None
    body = msgspec.json.encode({"guest_token": guest})
    for _ in range(ATTEMPTS):
        headers = context.with_forwarding_headers(
            CIMultiDict(
                {
                    "Authorization": f"Bearer {access}",
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                }
            )
        )
        try:
            response = await gateway.send("POST", "/api/cart/merge", headers, body)
            content = await gateway.read(response, MAX_ANSWER)
            if response.status == 200:
                return sum(line.quantity for line in msgspec.json.decode(content, type=_Cart).lines)
        except (Problem, msgspec.MsgspecError):
            continue
    log.warning("a guest's cart was not taken over")
    return None
