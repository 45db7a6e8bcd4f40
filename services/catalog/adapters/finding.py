"""The SQL of a search, made for the words at hand: what the index of grams cannot tell, and what is found better.

Each word is spelt out: an expression over an array of words would be a query of its own for each product.
"""

from collections.abc import Callable, Sequence

TOLD_BY_GRAMS = 2
"""A word of so many characters is one gram: what the index finds has it."""

_FIELDS = ("search_name", "search_brand", "search_keywords", "search_text")

Add = Callable[[object], str]
"""Adds an argument to the statement and gives its placeholder."""


def has_all(words: Sequence[str], add: Add) -> list[str]:
    """Conditions for each word to be in one of the product's texts, beside those on grams."""
    return [_in(word, _FIELDS, add) for word in words if len(word) > TOLD_BY_GRAMS]


def named_by_all(words: Sequence[str], add: Add) -> list[str]:
    """Conditions for each word to be in the product's name or brand."""
    return [_in(word, _FIELDS[:2], add) for word in words]


def rank(words: Sequence[str], add: Add) -> str:
    """How well a product is found: a name that begins with a word, that has it; brand, keywords, text."""
    return f"({' + '.join(_rank(add(word)) for word in words)})"


def _in(word: str, fields: Sequence[str], add: Add) -> str:
    placeholder = add(word)
    return f"({' OR '.join(f'strpos(p.{field}, {placeholder}::text) > 0' for field in fields)})"


def _rank(word: str) -> str:
    return (
        f"CASE WHEN starts_with(p.search_name, {word}::text) THEN 10 "
        f"WHEN strpos(p.search_name, {word}::text) > 0 THEN 8 "
        f"WHEN strpos(p.search_brand, {word}::text) > 0 THEN 5 "
        f"WHEN strpos(p.search_keywords, {word}::text) > 0 THEN 3 ELSE 1 END"
    )
