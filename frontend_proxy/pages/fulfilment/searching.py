"""What the words in the search box ask for. Pure."""

import re
from typing import NamedTuple
from uuid import UUID

STATES = (
    *("paid", "shipped", "delivered"),
    *("placed", "held", "paying", "authorised", "committed"),
    *("closing", "releasing", "refunding"),
    *("refunded", "cancelled", "expired", "declined", "sold_out"),
)
"""In the order in which a shopkeeper asks for them."""

SHORTEST_NAME, LONGEST_NAME = 2, 100

_NUMBER = re.compile(r"(?:no\.?|#|№)?\s*([1-9][0-9]{0,17})", re.IGNORECASE | re.ASCII)
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Search(NamedTuple):
    """An order's `id`, or a `query` of the list; neither where the words are nothing that an order is found by."""

    id: UUID | None = None
    query: dict[str, str] | None = None


def search(words: str) -> Search:
    """An order is found by its number, its mails' address, a part of its recipient's name, or its id."""
    text = words.strip()
    if not text:
        return Search(query={})
    if found := _ID.search(text):
        return Search(id=UUID(found[0]))
    if "@" in text:
        return Search(query={"email": text})
    if found := _NUMBER.fullmatch(text):
        return Search(query={"number": found[1]})
    if SHORTEST_NAME <= len(text) <= LONGEST_NAME:
        return Search(query={"recipient": text})
    return Search()
