"""Templates into answers. Whatever a template shows is escaped; it has no way to run a visitor's text."""

import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from litestar.response.base import ASGIResponse
from markupsafe import Markup

from frontend_proxy.pages.assets import Assets
from frontend_proxy.pages.language import LANGUAGES, Tongue, Words
from frontend_proxy.pages.visitor import Visitor


class Views:
    """Renders `<domain>/<name>.html`."""

    def __init__(self, pages: Path, assets: Assets, words: Words, zone: ZoneInfo) -> None:
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

    def tongue(self, visitor: Visitor) -> Tongue:
        """The visitor's language."""
        return Tongue(self._words, visitor.language, self._zone)

    def page(self, visitor: Visitor, template: str, /, status: int = 200, **values: object) -> ASGIResponse:
        """A whole page for `visitor`."""
        tongue = self.tongue(visitor)
        content = self._environment.get_template(template).render(
            visitor=visitor,
            tongue=tongue,
            t=tongue.t,
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
    """An e-mail address that a narrow column breaks before its `@`, not in the midst of a word."""
    return Markup("<wbr>@").join(address.split("@"))
