"""What a page knows of its request: the visitor's language, and their session where they have one."""

import time
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast
from urllib.parse import quote

from litestar import Request

from common import header_bytes
from common.languages import preferred
from frontend_proxy import access_tokens, request_context
from frontend_proxy.asgi import Scope
from frontend_proxy.edge.paths import RESUME
from frontend_proxy.pages.translator import COOKIE
from frontend_proxy.problems import Problem
from frontend_proxy.request_context import RequestContext

PageRequest = Request[Any, Any, Any]

CART_COOKIE = "in_cart"
"""So that no page has to ask for the cart to show how many things are in it."""

FRESH = 10.0
"""Seconds for which a token counts as just issued. If it is refused all the same, another renewal does not help."""


class Redirect(Exception):  # noqa: N818 - an answer, not an error
    """Ends a page by sending the browser to `location`; with status 307 it sends its form there again.
    `ended`: the session is over, and its cookies are cleared."""

    def __init__(self, location: str, status: int = 303, *, ended: bool = False) -> None:
        super().__init__(location)
        self.location = location
        self.status = status
        self.ended = ended


class Reader(Protocol):
    """What every page needs to know of whom it is for."""

    @property
    def language(self) -> str: ...

    @property
    def origin(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PageContext:
    """A page's request. `access` is a token that has not expired, or None; `roles` only decide what is shown.

    `target`: the path and query that were asked for. `agent`: the User-Agent, as `header_bytes.sendable` gives it.
    """

    request: RequestContext
    language: str
    target: str
    agent: str
    access: str | None
    roles: tuple[str, ...]
    remembered: bool = False
    """There is a session whose token has expired: pages that are the same for everybody do not wait for a new one."""

    @property
    def signed_in(self) -> bool:
        """Whether there is an account: a guest's session has a cart and orders, and no account."""
        return (self.access is not None or self.remembered) and not self.is_guest

    @property
    def is_guest(self) -> bool:
        return access_tokens.GUEST in self.roles

    @property
    def in_cart(self) -> int:
        """How many things are in the cart, as the front noted it when it last saw the cart."""
        text = self.request.cookies.get(CART_COOKIE, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0

    @property
    def origin(self) -> str:
        """The site's origin as this visitor sees it; the edge admits no other Host in production."""
        return f"{self.request.peer.scheme}://{self.request.host}"

    @property
    def admin(self) -> bool:
        return "admin" in self.roles

    def with_session(self, access: str, roles: tuple[str, ...]) -> "PageContext":
        """The same request in a session that began just now."""
        return replace(self, access=access, roles=roles)

    def refused(self) -> Redirect:
        """The redirect for a token that the gateway refuses: to a renewal, or to sign in if it was just renewed."""
        claims = access_tokens.claims(self.access) if self.access else None
        if self.is_guest:
            # Nobody has signed in who could do it again: the page is shown as to somebody new.
            return Redirect(self.target, ended=True)
        if claims is not None and abs(time.time() - claims.iat) > FRESH:
            return Redirect(_resume(self.target), 307)
        return Redirect(_sign_in(self.target), ended=True)


def guest(request: PageRequest) -> PageContext:
    """For a page that needs no session; an expired one is not renewed."""
    context = request_context.of(cast(Scope, request.scope))
    access = context.sent_tokens.access
    claims = (
        access_tokens.claims(access) if access and not access_tokens.expired(access, time.time()) else None
    )
    return PageContext(
        request=context,
        language=preferred(
            request.query_params.get("lang") or context.cookies.get(COOKIE),
            request.headers.get("accept-language", ""),
        ),
        target=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        agent=header_bytes.sendable(request.headers.get("user-agent", "").encode("latin-1")),
        access=access if claims else None,
        roles=claims.roles if claims else (),
    )


def anybody(request: PageRequest) -> PageContext:
    """For a page that is the same for everybody but for its menu; an expired session is not renewed for that."""
    found = guest(request)
    sent = found.request.sent_tokens.access
    claims = access_tokens.claims(sent) if found.access is None and sent is not None else None
    return replace(found, roles=claims.roles, remembered=True) if claims else found


def visitor(request: PageRequest) -> PageContext:
    """For a page that shows more with a session; an expired one is renewed first."""
    found = guest(request)
    if found.access is None and found.request.sent_tokens.access is not None:
        raise Redirect(_resume(found.target), 307)
    return found


def entrant(request: PageRequest) -> PageContext:
    """For signing in: a guest's expired session is renewed first, as its cart is to come along."""
    found = guest(request)
    sent = found.request.sent_tokens.access
    if found.access is None and sent is not None and access_tokens.of_guest(sent):
        raise Redirect(_resume(found.target), 307)
    return found


def member(request: PageRequest) -> PageContext:
    """For a page that needs an account; without one the browser is sent to sign in."""
    found = visitor(request)
    if not found.signed_in:
        raise Redirect(_sign_in(found.target))
    return found


def admin(request: PageRequest) -> PageContext:
    """For the shopkeeper's pages. Raises Problem 403 for other accounts, as the APIs do: they judge the same token, and
    its signature too."""
    found = member(request)
    if not found.admin:
        raise Problem(403, "", "Your account may not do this.")
    return found


def _resume(target: str) -> str:
    return f"{RESUME}?next={quote(target, safe='/')}"


def _sign_in(target: str) -> str:
    return f"/sign-in?next={quote(target, safe='/')}"
