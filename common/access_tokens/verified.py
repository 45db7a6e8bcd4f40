"""Remembers verified tokens, so that a signature is checked once a token and not once a request."""

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class VerifiedTokens(Generic[T]):
    """What is known of at most `capacity` tokens, by their hash; the least recently used goes first.

    Tokens are not kept, only their hashes; a value that holds its token is the caller's choice. What was verified with
    one set of keys counts for that set only: when a key is withdrawn, what it signed is judged anew.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known: OrderedDict[bytes, tuple[object, float, T]] = OrderedDict()

    def get(self, token: str, keys: object, now: float) -> T | None:
        """What was put, if it was with these very `keys` and has not expired (`now`: Unix seconds)."""
        digest = _digest(token)
        entry = self._known.get(digest)
        if entry is None:
            return None
        verified_with, expires, value = entry
        if verified_with is not keys or now >= expires:
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return value

    def put(self, token: str, keys: object, expires: float, value: T) -> None:
        if self._capacity == 0:
            return
        if len(self._known) >= self._capacity:
            self._known.popitem(last=False)
        self._known[_digest(token)] = (keys, expires, value)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
