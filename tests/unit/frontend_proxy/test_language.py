import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from frontend_proxy.pages import devices
from frontend_proxy.pages.translator import Translations, Translator

PAGES = Path("frontend_proxy/pages")
WORDS = Translations(PAGES)


def test_both_languages_say_the_same_things() -> None:
    ours = {language: WORDS.keys(language) for language in ("ko", "en")}
    assert ours["ko"] == ours["en"]


def test_texts_have_the_same_placeholders() -> None:
    def placeholders(language: str, key: str) -> set[str]:
        fields = re.findall(r"{(\w+)}", WORDS._texts[language][key])
        return set(fields)

    keys = WORDS.keys("en")
    assert {key for key in keys if placeholders("en", key) != placeholders("ko", key)} == set()


def test_every_text_that_a_page_asks_for_exists() -> None:
    sources = [path.read_text() for path in [*PAGES.rglob("*.html"), *PAGES.rglob("*.py")]]
    known = WORDS.keys("en")
    domains = {key.split(".")[0] for key in known}
    asked = {key for text in sources for key in re.findall(r'"([a-z]+\.[a-z0-9_-]+)"', text)}
    # `t("account.done_" ~ done)` asks for the beginning of a key.
    assert {
        key for key in asked if key.split(".")[0] in domains and not key.endswith(("_", ".html"))
    } <= known


@pytest.mark.parametrize(
    ("language", "expected"), [("ko", "2026년 11월 23일 05:02"), ("en", "November 23, 2026, 5:02 AM")]
)
def test_times_are_written_in_the_sites_zone(language: str, expected: str) -> None:
    translator = Translator(WORDS, language, ZoneInfo("Asia/Seoul"))
    assert translator.time("2026-11-22T20:02:49Z").replace("\u202f", " ") == expected


def test_what_is_no_time_is_left_out() -> None:
    translator = Translator(WORDS, "en", ZoneInfo("UTC"))
    assert [translator.time(None), translator.date("soon"), translator.ago("")] == ["", "", ""]


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/605.1",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537.36", "Chrome · Android"),
        ("curl/8.5.0", "curl"),
        ("Warehouse-Robot/2.1 (beta)", "Warehouse-Robot"),
        ("", ""),
    ],
)
def test_devices_are_called_as_their_owners_call_them(agent: str, expected: str) -> None:
    assert devices.name(agent) == expected


@pytest.mark.parametrize(
    ("language", "korea", "first", "last"),
    [
        ("ko", "대한민국", ["가나", "가봉", "가이아나"], "홍콩(중국 특별행정구)"),
        ("en", "South Korea", ["Afghanistan", "Åland Islands", "Albania"], "Zimbabwe"),
    ],
)
def test_every_country_has_its_name_and_stands_in_their_order(
    language: str, korea: str, first: list[str], last: str
) -> None:
    choices = Translator(WORDS, language, ZoneInfo("Asia/Seoul")).every_country()
    assert len(choices) == 249
    assert ("KR", korea) in choices
    assert [name for _, name in choices[:3]] == first
    assert choices[-1][1] == last
