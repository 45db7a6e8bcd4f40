"""Renders templates. Everything that a template shows is escaped."""

import uuid
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from litestar.response.base import ASGIResponse
from markupsafe import Markup

from common.languages import LANGUAGES
from frontend_proxy.pages import profiles
from frontend_proxy.pages.admin.navigation import SECTIONS
from frontend_proxy.pages.assets import Assets
from frontend_proxy.pages.page_context import Reader
from frontend_proxy.pages.translator import Translations, Translator

AWAY = frozenset({502, 503, 504})
SOON = "2"
"""Seconds after which it may be tried again (RFC 9110 §10.2.3), where nobody says otherwise."""


class Views:
    """Renders `<domain>/<name>.html`."""

    def __init__(
        self,
        pages: Path,
        assets: Assets,
        words: Translations,
        zone: ZoneInfo,
        shelves: Callable[[str], object],
        *,
        asset_origin: str = "",
        media_origin: str = "",
    ) -> None:
        """`shelves`: the categories of the menu, in a language, as far as they are known. The origins are a CDN's, or
        empty: this site's."""
        self._words = words
        self._zone = zone
        self._shelves = shelves
        self._media_origin = media_origin
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(pages),
            auto_reload=False,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["asset"] = lambda name: asset_origin + assets.url(name)
        self._environment.globals["admin_sections"] = SECTIONS
        self._environment.globals["media"] = lambda name, width: f"{media_origin}/media/{name}-{width}.webp"
        self._environment.filters["email"] = breakable
        self._environment.filters["dialled"] = profiles.as_dialled
        # One key for each form that is rendered: sending that form twice is one action.
        self._environment.globals["new_key"] = lambda: str(uuid.uuid4())
        # A template with a mistake stops the start, and no visitor waits for a compilation.
        for name in self._environment.list_templates(extensions=["html"]):
            self._environment.get_template(name)

    @property
    def zone(self) -> ZoneInfo:
        """Where the shop is: its days begin at midnight there."""
        return self._zone

    def translator(self, visitor: Reader) -> Translator:
        """The visitor's language."""
        return Translator(self._words, visitor.language, self._zone)

    def media(self, visitor: Reader, hash_: str, width: int) -> str:
        """A picture's whole address, for who reads this page elsewhere."""
        return f"{self._media_origin or visitor.origin}/media/{hash_}-{width}.webp"

    def page(self, visitor: Reader, template: str, /, status: int = 200, **values: object) -> ASGIResponse:
        """A whole page for `visitor`."""
        return self.answer(visitor, self.content(visitor, template, **values), status)

    def content(self, visitor: Reader, template: str, /, **values: object) -> str:
        """The page's document."""
        translator = self.translator(visitor)
        return self._environment.get_template(template).render(
            {"meta": None, **values},
            visitor=visitor,
            translator=translator,
            t=translator.t,
            languages=LANGUAGES,
            shelves=self._shelves(visitor.language),
        )

    def answer(self, visitor: Reader, content: str | bytes, status: int = 200) -> ASGIResponse:
        """The answer with a page's document."""
        headers = {"Content-Language": visitor.language, "Vary": "Accept-Language, Cookie"}
        if status in AWAY:
            headers["Retry-After"] = SOON
        return ASGIResponse(body=content, status_code=status, media_type="text/html", headers=headers)


def breakable(address: str) -> Markup:
    """An e-mail address that may break before its `@` in a narrow column."""
    return Markup("<wbr>@").join(address.split("@"))
