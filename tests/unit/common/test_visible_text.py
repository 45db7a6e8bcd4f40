"""One line of text that people type: what shows nothing is blank, in every script's way of showing nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import visible_text
from common.field_codes import InvalidValue

BLANK = [
    "",
    "   ",
    "\t\n",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u200b",
    "\u200c\u200d",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u3164",
    "\uffa0",
    "\u115f\u1160",
    "\u2800",
    "\u034f",
    "\u202e\u202c",
    "\u200e\u200f\u061c",
    "\ufe0f",
    "\U000e0020\U000e007f",
    "\U000e0100",
    "\u0301",
    "\u0301\u0308 \u20dd",
    "\u180e",
    " \u200b\u3164 ",
]


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert visible_text.is_blank(text)
    with pytest.raises(InvalidValue) as refused:
        visible_text.line(text, 100)
    assert refused.value.code == "blank"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Kim Minji", "Kim Minji"),
        ("  Kim \t Minji\n", "Kim Minji"),
        ("김민지", "김민지"),
        (unicodedata.normalize("NFD", "김민지"), "김민지"),
        ("김\u3164민지", "김 민지"),
        ("Kim\u200b Minji\ufeff", "Kim Minji"),
        ("\u202eevil\u202c", "evil"),
        ("\u200fعلي\u200f", "علي"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\U0001faea", "\U0001faea"),
        ("O'Brien <b>", "O'Brien <b>"),
        ("-", "-"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
    ],
    ids=ascii,
)
def test_what_shows_is_kept_in_one_form(text: str, stored: str) -> None:
    assert visible_text.line(text, 100) == stored


@pytest.mark.parametrize(
    "text", ["a\x00", "a\x07b", "a\x7f", "a\x9fb", "a\ud800", "a\ue000", "a\uffff", "a\ufdd0"], ids=ascii
)
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        visible_text.line(text, 100)
    assert refused.value.code == "forbidden_characters"


def test_length_is_of_the_stored_form() -> None:
    assert visible_text.line(unicodedata.normalize("NFD", "한" * 100), 100) == "한" * 100
    with pytest.raises(InvalidValue) as refused:
        visible_text.line("한" * 101, 100)
    assert (refused.value.code, refused.value.params) == ("too_long", {"max": 100})


@given(st.text(max_size=30))
def test_the_stored_form_is_its_own(text: str) -> None:
    try:
        stored = visible_text.line(text, 200)
    except InvalidValue:
        return
    assert visible_text.line(stored, 200) == stored
    assert not visible_text.is_blank(stored)
