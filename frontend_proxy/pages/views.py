"""Renders templates. Everything that a template shows is escaped."""

import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from litestar.response.base import ASGIResponse
from markupsafe import Markup

from frontend_proxy.pages.assets import Assets
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.translator import LANGUAGES, Translations, Translator


class Views:
    """Renders `<domain>/<name>.html`."""

    def __init__(self, pages: Path, assets: Assets, words: Translations, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(pages),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["asset"] = assets.url
        self._environment.filters["email"] = breakable
        # One key for each form that is rendered: sending that form twice is one action.
        self._environment.globals["new_key"] = lambda: str(uuid.uuid4())

    def translator(self, visitor: PageContext) -> Translator:
        """The visitor's language."""
        return Translator(self._words, visitor.language, self._zone)

    def page(
        self, visitor: PageContext, template: str, /, status: int = 200, **values: object
    ) -> ASGIResponse:
        """A whole page for `visitor`."""
        translator = self.translator(visitor)
        content = self._environment.get_template(template).render(
            visitor=visitor,
            translator=translator,
            t=translator.t,
            languages=LANGUAGES,
            **values,
        )
        return ASGIResponse(
            body=content,
            status_code=status,
            media_type="text/html",
            headers={"Content-Language": visitor.language, "Vary": "Accept-Language, Cookie"},
        )


def breakable(address: str) -> Markup:
    """An e-mail address that may break before its `@` in a narrow column."""
    return Markup("<wbr>@").join(address.split("@"))
