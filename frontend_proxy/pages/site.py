"""What every page uses, and what all pages do with responses."""

from collections.abc import Iterable
from typing import NamedTuple

from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.cookies import Header, SessionCookies
from frontend_proxy.pages.backend import Backend
from frontend_proxy.pages.forms import problem_name
from frontend_proxy.pages.shop.catalog import Shelves
from frontend_proxy.pages.shop.shipping import Shipping
from frontend_proxy.pages.views import Views
from frontend_proxy.problems import Problem


class Site(NamedTuple):
    """The parts that pages use. `secure`: cookies are sent over TLS only; `shelves`: the shop's categories; `currency`:
    in which prices are typed; `shipping`: what sending an order costs."""

    views: Views
    backend: Backend
    session_cookies: SessionCookies
    secure: bool
    shelves: Shelves
    currency: str
    shipping: Shipping


def redirect(location: str, cookies: Iterable[Header] = (), status: int = 303) -> ASGIResponse:
    """A redirect to `location`. After a form it leads to a page that may be reloaded (RFC 9110 §15.4.4)."""
    return ASGIResponse(
        status_code=status,
        media_type="text/plain",
        headers=[("location", location), *((name.decode(), value.decode()) for name, value in cookies)],
    )


def require_status(answer: Answer, *expected: int) -> Answer:
    """`answer` if its status is one of `expected`. Otherwise raises Problem, which becomes an error page."""
    if answer.status in expected:
        return answer
    status = answer.status if answer.status >= 400 else 502
    after = next((text.decode("latin-1") for name, text in answer.headers if name == b"retry-after"), None)
    waits = None if after is None else {"Retry-After": after}
    raise Problem(status, problem_name(answer), "The API answered otherwise.", headers=waits)
