"""What every page works with, in one parcel, and the answer that is not a page: to go elsewhere."""

from collections.abc import Iterable
from typing import NamedTuple

from litestar.response.base import ASGIResponse

from frontend_proxy.cookies import Header, Jar
from frontend_proxy.pages.backend import Backend
from frontend_proxy.pages.views import Views


class Site(NamedTuple):
    """The parts that pages are made of. `secure`: cookies are for TLS alone."""

    views: Views
    backend: Backend
    jar: Jar
    secure: bool


def go(location: str, cookies: Iterable[Header] = (), status: int = 303) -> ASGIResponse:
    """Sends the browser to `location`: after a form, to a page that may be reloaded (RFC 9110 §15.4.4)."""
    return ASGIResponse(
        status_code=status,
        media_type="text/plain",
        encoded_headers=[(b"location", location.encode("ascii")), *cookies],
    )
