"""/ and /unavailable."""

from litestar import Controller, get
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.edge.paths import local_target
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.site import Site
from frontend_proxy.problems import Problem

PLACES = {"profile": "/account", "sessions": "/account/sessions", "members": "/members"}
"""The pages for the sections that the screen service names."""


class Home(Controller):
    """The first page."""

    @get("/")
    async def home(self, site: InjectedSite, visitor: InjectedPageContext) -> ASGIResponse:
        if not visitor.signed_in:
            return site.views.page(visitor, "home/welcome.html")
        answer = await site.backend.call(visitor, "GET", "/api/home")
        home = answer.document() if answer.status == 200 else {}
        degraded = home.get("degraded") or [] if home else ["home"]
        person = home.get("member")
        return site.views.page(
            visitor,
            "home/home.html",
            home=home,
            degraded=degraded,
            places=PLACES,
            name=person["name"] if person else await _account_name(site, visitor),
        )

    @get("/unavailable")
    async def unavailable(
        self,
        site: InjectedSite,
        guest: InjectedPageContext,
        next: FromQuery[str] = "/",  # noqa: A002
    ) -> ASGIResponse:
        message = site.views.translator(guest).problem("upstream-unavailable", 503)
        return site.views.page(
            guest,
            "shared/error.html",
            status=503,
            problem_status=503,
            message=message,
            retry=local_target(next),
        )


async def _account_name(site: Site, visitor: PageContext) -> str | None:
    """The account's name, for the moment after registering in which the member does not exist yet."""
    try:
        account = await site.backend.call(visitor, "GET", "/api/auth/me")
    except Problem:
        return None
    name = account.document().get("name")
    return name if isinstance(name, str) else None
