"""How the search reads texts and queries: normal form, words, and the grams that an index finds them by. Pure.

PostgreSQL's own text search knows no Korean, and its trigrams find no word of two syllables. So each text is cut into
bigrams, which a GIN index over an array finds; whether a word really is in the text is then looked up in the text
itself. A word is found anywhere in a longer one: 운동화 in 남성운동화, and the start of a word while it is typed.
"""

import unicodedata
from itertools import pairwise

from common.field_codes import InvalidValue

MAX_QUERY = 64
MAX_WORDS = 8


def normal(text: str) -> str:
    """The one spelling that is indexed and searched: NFKC, case-folded, words apart by one space.

    A word ends where letters and digits end, and where Hangul meets another script: 갤럭시S25 is 갤럭시 s25. Syllables
    are not taken apart.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    pieces: list[str] = []
    before = ""
    for character in folded:
        kind = _kind(character)
        if kind != before and pieces and pieces[-1] != " ":
            pieces.append(" ")
        if kind:
            pieces.append(character)
        before = kind
    return "".join(pieces).strip()


def words(query: str) -> tuple[str, ...]:
    """The words of a query, each once, in their order.

    Raises InvalidValue: `too_long`, `no_words`, `too_many_words`.
    """
    if len(query) > MAX_QUERY:
        raise InvalidValue("too_long", max=MAX_QUERY)
    found = tuple(dict.fromkeys(normal(query).split()))
    if not found:
        raise InvalidValue("no_words")
    if len(found) > MAX_WORDS:
        raise InvalidValue("too_many_words", max=MAX_WORDS)
    return found


def index_grams(text: str) -> set[str]:
    """What a text in normal form is found by: each pair of neighbours in a word, and each character alone."""
    found: set[str] = set()
    for word in text.split():
        found.update(word)
        found.update(map("".join, pairwise(word)))
    return found


def query_grams(query_words: tuple[str, ...]) -> set[str]:
    """What a text must have for all the words to be in it; more is found by it, nothing is missed."""
    found: set[str] = set()
    for word in query_words:
        found.update(map("".join, pairwise(word)) if len(word) > 1 else (word,))
    return found


def _kind(character: str) -> str:
    """Empty for what stands between words, else the script that a word keeps to."""
    category = unicodedata.category(character)
    if category[0] not in "LNM":
        return ""
    return "hangul" if "가" <= character <= "힣" or "ᄀ" <= character <= "ㆎ" else "other"
