"""/ and /unavailable."""

from litestar import Controller, get
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages.site import Site
from frontend_proxy.pages.visitor import Visitor
from frontend_proxy.paths import local


class Home(Controller):
    """The first page."""

    @get("/")
    async def home(self, site: Site, visitor: Visitor) -> ASGIResponse:
        if not visitor.signed_in:
            return site.views.page(visitor, "home/welcome.html")
        answer = await site.backend.call(visitor, "GET", "/api/home")
        if answer.status != 200:
            return site.views.page(visitor, "home/home.html", home={}, degraded=["home"], status=200)
        home = answer.document()
        return site.views.page(visitor, "home/home.html", home=home, degraded=home.get("degraded") or [])

    @get("/unavailable")
    async def unavailable(self, site: Site, guest: Visitor, next: FromQuery[str] = "/") -> ASGIResponse:  # noqa: A002
        message = site.views.tongue(guest).problem("upstream-unavailable", 503)
        return site.views.page(
            guest, "shared/error.html", status=503, problem_status=503, message=message, retry=local(next)
        )
