"""Who did something: the names of accounts, as the shopkeeper's journals show them."""

import asyncio
from collections.abc import Iterable

from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.site import Site
from frontend_proxy.problems import Problem


async def names(site: Site, admin: PageContext, ids: Iterable[str]) -> dict[str, str]:
    """By account, as far as they are known now: a journal is shown without those that cannot be had."""
    ids = list(ids)
    found = await asyncio.gather(*(_name(site, admin, id_) for id_ in ids))
    return {id_: name for id_, name in zip(ids, found, strict=True) if name}


async def _name(site: Site, admin: PageContext, id_: str) -> str:
    try:
        answer = await site.backend.call(admin, "GET", f"/api/members/{id_}", within=PATIENCE)
    except Problem:
        return ""
    return str(answer.document()["name"]) if answer.status == 200 else ""
