"""/admin/stuck: messages that a service could not deliver, since when and why, and a button that tries again."""

import asyncio
import re
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, keyed
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.pages.stuck.subjects import order_of, said
from frontend_proxy.problems import Problem

SERVICES = ("order", "payment", "catalog", "member", "auth")
"""Those that have an outbox."""
SHOWN = 20
DONE = ("retried", "gone", "unknown")

_NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class Backlog(NamedTuple):
    """A service's messages; `items` is None where it does not answer."""

    service: str
    items: list[dict[str, Any]] | None
    following: str | None


class StuckMessages(Controller):
    """For administrators."""

    path = "/admin/stuck"

    @get("/")
    async def index(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        show: FromQuery[str] = "",
        service: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        state = "waiting" if show == "waiting" else "dead"
        asked = (service,) if service in SERVICES else SERVICES
        cursor = cursor if len(asked) == 1 else ""
        backlogs = await asyncio.gather(*(_backlog(site, admin, name, state, cursor) for name in asked))
        return site.views.page(
            admin,
            "stuck/index.html",
            backlogs=backlogs,
            show=state,
            only=len(asked) == 1,
            first=f"/admin/stuck?{urlencode({'show': state, 'service': asked[0]})}" if cursor else None,
            order_of=order_of,
            said=said,
            done=done if done in DONE else "",
        )

    @post("/{service:str}/{number:str}/retry")
    async def retry(
        self,
        request: PageRequest,
        site: InjectedSite,
        admin: InjectedPageContext,
        service: FromPath[str],
        number: FromPath[str],
    ) -> ASGIResponse:
        if service not in SERVICES or not _NUMBER.fullmatch(number):
            raise NotFoundException
        form = await forms.read(request)
        path = f"/api/outbox/{service}/{number}/retries"
        try:
            answer = await keyed.post(site, admin, path, form, versioned=False)
        except Problem:
            return redirect("/admin/stuck?done=unknown")
        if answer.status == 404:
            return redirect("/admin/stuck?done=gone")
        if answer.status >= 500:
            return redirect("/admin/stuck?done=unknown")
        require_status(answer, 202)
        return redirect("/admin/stuck?done=retried")

    @get("/{service:str}/{number:str}/retry")
    async def back(self, admin: InjectedPageContext, service: FromPath[str]) -> ASGIResponse:
        return redirect("/admin/stuck")


async def _backlog(site: Site, admin: PageContext, service: str, state: str, cursor: str) -> Backlog:
    query = {"state": state, "limit": str(SHOWN), **({"cursor": cursor} if cursor else {})}
    try:
        answer = await site.backend.call(admin, "GET", f"/api/outbox/{service}", query=query, within=PATIENCE)
    except Problem:
        return Backlog(service, None, None)
    if answer.status >= 500:
        return Backlog(service, None, None)
    page = require_status(answer, 200).document()
    following = page["next_cursor"]
    if following is None:
        return Backlog(service, page["items"], None)
    more = urlencode({"show": state, "service": service, "cursor": following})
    return Backlog(service, page["items"], f"/admin/stuck?{more}")
