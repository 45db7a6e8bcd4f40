"""/admin/money: whether the provider and the ledger agree, since when that is known, and comparing now."""

import asyncio
from typing import Any

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, keyed
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

LOOKS, PAUSE = 12, 0.4
"""A comparison of a small shop is done within a second or two: somebody who asked for one waits that long."""
DONE = ("compared", "asked", "unknown")


class Money(Controller):
    """For administrators."""

    path = "/admin/money"

    @get("/")
    async def index(
        self, site: InjectedSite, admin: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        try:
            books = await _books(site, admin)
        except Problem as problem:
            if problem.status < 500:
                raise
            return site.views.page(admin, "money/index.html", status=problem.status, books=None, done="")
        return site.views.page(admin, "money/index.html", books=books, done=done if done in DONE else "")

    @post("/compare")
    async def compare(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        before = _at(await _books(site, admin))
        try:
            answer = await keyed.post(site, admin, "/api/payments/reconciliation", form, versioned=False)
        except Problem:
            return redirect("/admin/money?done=unknown")
        if answer.status >= 500:
            return redirect("/admin/money?done=unknown")
        require_status(answer, 202)
        for _ in range(LOOKS):
            await asyncio.sleep(PAUSE)
            if _at(await _books(site, admin)) != before:
                return redirect("/admin/money?done=compared")
        return redirect("/admin/money?done=asked")

    @get("/compare")
    async def back(self, admin: InjectedPageContext) -> ASGIResponse:
        return redirect("/admin/money")


async def _books(site: Site, admin: PageContext) -> dict[str, Any]:
    answer = await site.backend.call(admin, "GET", "/api/payments/reconciliation", within=PATIENCE)
    return require_status(answer, 200).document()


def _at(books: dict[str, Any]) -> str | None:
    return books["latest"]["at"] if books["latest"] else None
