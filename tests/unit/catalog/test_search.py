"""What the search finds: Korean words of two syllables, mixed scripts, starts of words (commerce hazard 27)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.field_codes import InvalidValue
from services.catalog.domain.search import MAX_QUERY, index_grams, normal, query_grams, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("갤럭시S25 울트라", "갤럭시 s25 울트라"),
        ("  AIR-Max\t90 ", "air max 90"),
        ("ＡＢＣ１２", "abc12"),
        ("Straße", "strasse"),
        ("나이키에어", "나이키에어"),
        ("10,000원", "10 000 원"),
        ("Café", "café"),
        ("!!!", ""),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_decomposed_hangul_is_the_same_word() -> None:
    assert normal("\u110b\u116e\u11ab\u1103\u1169\u11bc\u1112\u116a") == "운동화"


def test_words_come_once_and_in_order() -> None:
    assert words("나이키 운동화 나이키") == ("나이키", "운동화")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "no_words"),
        (" !? ", "no_words"),
        ("가" * (MAX_QUERY + 1), "too_long"),
        ("a b c d e f g h i", "too_many_words"),
    ],
)
def test_a_query_that_cannot_be_searched_says_why(query: str, code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        words(query)
    assert refused.value.code == code


@pytest.mark.parametrize("query", ["신발", "옷", "갤럭시 s25", "s25", "s", "남성", "운동", "운동화"])
def test_a_text_is_found_by_each_of_its_parts(query: str) -> None:
    text = normal("남성운동화 신발, 옷과 갤럭시S25 케이스")
    assert query_grams(words(query)) <= index_grams(text)


@given(st.text(max_size=200), st.data())
def test_whatever_part_of_a_word_is_asked_for_its_grams_are_in_the_index(
    text: str, data: st.DataObject
) -> None:
    clean = normal(text)
    for word in clean.split()[:5]:
        start = data.draw(st.integers(0, len(word) - 1))
        end = data.draw(st.integers(start + 1, len(word)))
        assert query_grams((word[start:end],)) <= index_grams(clean)


@given(st.text(max_size=100))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normal(normal(text)) == normal(text)
