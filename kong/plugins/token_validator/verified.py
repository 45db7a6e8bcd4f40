"""Remembers verified tokens, so that a signature is checked once a token and not once a request."""

import hashlib
from collections import OrderedDict

import msgspec

from kong.plugins.runtime.pdk import ConstantHeaders
from kong.plugins.token_validator.verifier import Identity


class Caller(msgspec.Struct, frozen=True):
    """What each request with one token gets: whom it speaks for, in the headers that upstream is told it by."""

    identity: Identity
    headers: ConstantHeaders
    sufficient: bool
    """Whether it has the roles and scopes that this configuration requires."""


class VerifiedTokens:
    """At most `capacity` callers by the hash of their token; the least recently used goes first.

    Only hashes are kept, so the memory of the process holds no list of usable tokens. A caller counts for
    one generation of the key set only: when a key is withdrawn, what it signed is judged anew.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._callers: OrderedDict[bytes, tuple[int, Caller]] = OrderedDict()

    def get(self, token: str, generation: int, now: float) -> Caller | None:
        """The caller, if it was verified with this key set and its token has not expired (`now`: Unix seconds)."""
        digest = _digest(token)
        entry = self._callers.get(digest)
        if entry is None:
            return None
        if entry[0] != generation or now >= entry[1].identity.expires:
            del self._callers[digest]
            return None
        self._callers.move_to_end(digest)
        return entry[1]

    def put(self, token: str, generation: int, caller: Caller) -> None:
        if self._capacity == 0:
            return
        if len(self._callers) >= self._capacity:
            self._callers.popitem(last=False)
        self._callers[_digest(token)] = (generation, caller)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
