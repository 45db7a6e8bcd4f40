"""Who looks at a page: their language, and their session where they have one."""

import time
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from litestar import Request

from common import header_bytes
from frontend_proxy import arrival as arrivals
from frontend_proxy import session
from frontend_proxy.arrival import Arrival
from frontend_proxy.asgi import Scope
from frontend_proxy.pages.language import COOKIE, preferred
from frontend_proxy.session import RESUME

Asked = Request[Any, Any, Any]

FRESH = 10.0
"""Seconds for which a token counts as just issued: if it is refused all the same, renewing it again would not
help."""


class Elsewhere(Exception):  # noqa: N818 - a way on, not an error
    """Ends a page's work by sending the browser to `location`, with its form if `status` is 307.
    `ended`: the session is over, and its cookies are cleared on the way."""

    def __init__(self, location: str, status: int = 303, *, ended: bool = False) -> None:
        super().__init__(location)
        self.location = location
        self.status = status
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Visitor:
    """A page's visitor. `access` is a token that has not expired, or None; `roles` only decide what is
    shown."""

    arrival: Arrival
    language: str
    target: str
    agent: str
    access: str | None
    roles: tuple[str, ...]

    @property
    def signed_in(self) -> bool:
        return self.access is not None

    @property
    def admin(self) -> bool:
        return "admin" in self.roles

    def refused(self) -> Elsewhere:
        """Where to go when the gateway refuses this visitor's token: to a renewal, unless it was renewed just
        now."""
        claims = session.claims(self.access) if self.access else None
        if claims is not None and abs(time.time() - claims.iat) > FRESH:
            return Elsewhere(_resume(self.target), 307)
        return Elsewhere(_sign_in(self.target), ended=True)


def guest(request: Asked) -> Visitor:
    """The visitor of a page that needs no session, and renews none."""
    arrival = arrivals.of(cast(Scope, request.scope))
    access = arrival.presented.access
    claims = session.claims(access) if access and not session.expired(access, time.time()) else None
    return Visitor(
        arrival=arrival,
        language=preferred(arrival.cookies.get(COOKIE), request.headers.get("accept-language", "")),
        target=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        agent=header_bytes.sendable(request.headers.get("user-agent", "").encode("latin-1")),
        access=access if claims else None,
        roles=claims.roles if claims else (),
    )


def visitor(request: Asked) -> Visitor:
    """The visitor of a page that shows more to whom it knows: an expired session is renewed first."""
    found = guest(request)
    if found.access is None and found.arrival.presented.access is not None:
        raise Elsewhere(_resume(found.target), 307)
    return found


def member(request: Asked) -> Visitor:
    """The visitor of a page that is for members only."""
    found = visitor(request)
    if found.access is None:
        raise Elsewhere(_sign_in(found.target))
    return found


def _resume(target: str) -> str:
    return f"{RESUME}?next={quote(target, safe='/')}"


def _sign_in(target: str) -> str:
    return f"/sign-in?next={quote(target, safe='/')}"
