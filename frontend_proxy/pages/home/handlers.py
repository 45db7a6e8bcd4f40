"""/ and /unavailable."""

from typing import Any

from litestar import Controller, get
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.edge.paths import local_target
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.site import Site
from frontend_proxy.problems import Problem

PARTS = ("categories", "offers", "arrivals", "member", "last_order")
"""What the first page is made of."""


class Home(Controller):
    """The first page."""

    @get("/")
    async def home(self, site: InjectedSite, visitor: InjectedPageContext) -> ASGIResponse:
        """For everybody; with a session it greets, and shows the last order."""
        await site.shelves.of(visitor)
        screen = await _screen(site, visitor)
        person = screen["member"]
        name = None
        if visitor.signed_in:
            name = person["name"] if person else await _account_name(site, visitor)
        return site.views.page(visitor, "home/home.html", screen=screen, person=person, name=name)

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


async def _screen(site: Site, visitor: PageContext) -> dict[str, Any]:
    """The storefront; where nobody answers it is all gaps."""
    nothing = dict.fromkeys(PARTS)
    try:
        answer = await site.backend.call(
            visitor, "GET", "/api/storefront", query={"lang": visitor.language}, within=PATIENCE
        )
    except Problem:
        answer = None
    if answer is None or answer.status != 200:
        return {**nothing, "degraded": ["arrivals", "categories", "offers"]}
    return nothing | answer.document()


async def _account_name(site: Site, visitor: PageContext) -> str | None:
    """The account's name, for the moment after registering in which the member does not exist yet."""
    try:
        account = await site.backend.call(visitor, "GET", "/api/auth/me")
    except Problem:
        return None
    name = account.document().get("name")
    return name if isinstance(name, str) else None
