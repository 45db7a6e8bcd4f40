"""What the catalog says, as pages ask it: in the visitor's language, and as everybody sees it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages.backend import PATIENCE, Backend
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.problems import Problem

KEPT_FOR = 30.0
"""Seconds for which the menu of categories is shown without asking."""
WAITED_FOR = 0.6
"""Seconds that the first visitor waits for that menu: a page without it is better than none."""
SOON = 5.0
"""Seconds after which the catalog is asked again when it did not answer."""


class _Kept(NamedTuple):
    items: list[dict[str, Any]]
    until: float


class Shelves:
    """The categories of the menu, which every page shows: asked for once in a while, and never waited for twice.

    Where the catalog does not answer, the last that it said is shown, or no menu.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, asyncio.Future[None]] = {}

    def known(self, language: str) -> list[dict[str, Any]]:
        """The top categories, each with its `slug`, `name` and `children`, as the catalog last said."""
        kept = self._kept.get(language)
        return kept.items if kept else []

    async def of(self, visitor: PageContext) -> list[dict[str, Any]]:
        """The same, asked for where they are old: the first visitor waits, the others see the old ones meanwhile."""
        language = visitor.language
        kept = self._kept.get(language)
        if kept is None or kept.until < time.monotonic():
            asking = self._asking.get(language)
            if asking is None:
                asking = asyncio.ensure_future(self._ask(visitor))
                self._asking[language] = asking
                asking.add_done_callback(lambda _: self._asking.pop(language, None))
            if kept is None:
                await asyncio.wait({asking}, timeout=WAITED_FOR)
        return self.known(language)

    async def _ask(self, visitor: PageContext) -> None:
        known = self._kept.get(visitor.language)
        items, lasts = (known.items if known else []), SOON
        try:
            answer = await read(self._backend, visitor, "/api/categories")
        except Problem:
            pass
        else:
            said = answer.document().get("items")
            if answer.status == 200 and isinstance(said, list):
                items, lasts = said, KEPT_FOR
        self._kept[visitor.language] = _Kept(items, time.monotonic() + lasts)


async def read(
    backend: Backend, visitor: PageContext, path: str, query: Mapping[str, str] | None = None
) -> Answer:
    """A public answer of the catalog, in the visitor's language. Raises Problem where it is down."""
    asked = {**(query or {}), "lang": visitor.language}
    return await backend.call(visitor, "GET", path, query=asked, public=True, within=PATIENCE)
