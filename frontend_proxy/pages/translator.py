"""The texts, dates and numbers of a visitor's language."""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import babel
import babel.dates
import babel.numbers

from common.languages import LANGUAGES
from common.money import EXPONENTS
from frontend_proxy.pages import devices

COOKIE = "language"

NO_COUNTRIES = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)
"""What CLDR names beside the countries of ISO 3166-1: reserved codes, unions, codes for tests."""


class Translations:
    """The texts of the pages: `<domain>.<key>`, read from each domain's `ko.toml` and `en.toml`."""

    def __init__(self, pages: Path) -> None:
        self._texts = {language: _read(pages, language) for language in LANGUAGES}

    def text(self, language: str, key: str, values: dict[str, object]) -> str:
        """The text of `key` with its `{placeholders}` filled. KeyError for a key that is none."""
        return self._texts[language][key].format_map(values)

    def has(self, language: str, key: str) -> bool:
        return key in self._texts[language]

    def keys(self, language: str) -> frozenset[str]:
        return frozenset(self._texts[language])


def _read(pages: Path, language: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted(pages.glob(f"*/{language}.toml")):
        for key, text in tomllib.loads(path.read_text(encoding="utf-8")).items():
            texts[f"{path.parent.name}.{key}"] = text
    return texts


@cache
def _symbol(currency: str, language: str) -> str:
    symbol = babel.numbers.get_currency_symbol(currency, language)
    return f"{symbol}\u00a0" if symbol[-1:].isalpha() else symbol


class Translator:
    """One language, as a template uses it: `t("home.title")`, `date(...)`, `ago(...)`."""

    def __init__(self, words: Translations, language: str, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone
        self.language = language

    @cached_property
    def _locale(self) -> babel.Locale:
        return babel.Locale.parse({"ko": "ko_KR", "en": "en_US"}[self.language])

    def t(self, key: str, /, **values: object) -> str:
        """The text of `key`."""
        return self._words.text(self.language, key, values)

    def problem(self, name: str, status: int) -> str:
        """What to tell a visitor of a refusal: by its name where there are words for it, else by its
        status."""
        for key in (f"problems.{name}", f"problems.{status}"):
            if self._words.has(self.language, key):
                return self.t(key)
        return self.t("problems.other")

    def known(self, key: str, otherwise: str) -> str:
        """The text of `key`, or `otherwise` where there is none, as for a value of a newer service."""
        return self.t(key) if self._words.has(self.language, key) else otherwise

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units as people write it here: `89,000원`, `₩89,000`, `$10.00`."""
        digits = EXPONENTS.get(currency, 2)
        whole, part = divmod(abs(amount), 10**digits)
        written = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
        sign = "-" if amount < 0 else ""
        if currency == "KRW" and self.language == "ko":
            return f"{sign}{written}원"
        return f"{sign}{_symbol(currency, self.language)}{written}"

    def number(self, count: int) -> str:
        return f"{count:,}"

    def country(self, code: str) -> str:
        """A country by its code of ISO 3166-1; the code itself where it has no name."""
        return str(self._locale.territories.get(code, code))

    def countries(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """Codes with their names, as the choices of a field."""
        return [(code, self.country(code)) for code in codes]

    def every_country(self) -> list[tuple[str, str]]:
        """The countries of ISO 3166-1 with their names, in the order of the names."""
        codes = (str(code) for code in self._locale.territories)
        codes = (code for code in codes if len(code) == 2 and code not in NO_COUNTRIES)
        return sorted(self.countries(codes), key=lambda choice: _letters(choice[1]))

    def grade(self, grade: str) -> str:
        """A member's grade."""
        return self.known(f"profile.grade_{grade}", grade)

    def device(self, agent: str) -> str:
        """A device by browser and system, from its User-Agent: `Chrome · macOS`."""
        return devices.name(agent) or self.t("account.unknown_device")

    def field_error(self, code: str, params: Mapping[str, object]) -> str:
        """What to tell a visitor of a field's error; never the API's own text, which is for developers."""
        try:
            return self.t(f"fields.{code}", **params)
        except KeyError:  # a code, or a form of it, that only a newer service knows
            return self.t("fields.invalid")

    def date(self, moment: str | None) -> str:
        """An RFC 3339 time as a day, `2026년 11월 22일`; empty for none."""
        local = self._local(moment)
        return babel.dates.format_date(local, "long", locale=self._locale) if local else ""

    def time(self, moment: str | None) -> str:
        """An RFC 3339 time to the minute, in the site's time zone; empty for none."""
        local = self._local(moment)
        if local is None:
            return ""
        pattern = {"ko": "y년 M월 d일 HH:mm", "en": "MMMM d, y, h:mm a"}[self.language]
        return babel.dates.format_datetime(local, pattern, locale=self._locale)

    def ago(self, moment: str | None) -> str:
        """How long ago an RFC 3339 time was, `3분 전`; empty for none."""
        local = self._local(moment)
        if local is None:
            return ""
        return babel.dates.format_timedelta(
            local - datetime.now(UTC), add_direction=True, locale=self._locale
        )

    def _local(self, moment: str | None) -> datetime | None:
        """The time in the site's zone; None too for text that is not a time."""
        try:
            parsed = datetime.fromisoformat(moment or "")
        except ValueError:
            return None
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(self._zone)


def _letters(text: str) -> str:
    """A name without its accents, as lists are sorted: Åland stands under A."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
