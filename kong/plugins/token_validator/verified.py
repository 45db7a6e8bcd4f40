"""Remembers verified tokens, so that a signature is checked once a token and not once a request."""

import hashlib
from collections import OrderedDict

from kong.plugins.token_validator.verifier import Identity


class VerifiedTokens:
    """At most `capacity` identities by the hash of their token; the least recently used goes first.

    Only hashes are kept, so the memory of the process holds no list of usable tokens. An identity counts for
    one generation of the key set only: when a key is withdrawn, what it signed is judged anew.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._identities: OrderedDict[bytes, tuple[int, Identity]] = OrderedDict()

    def get(self, token: str, generation: int, now: float) -> Identity | None:
        """The identity, if it was verified with this key set and its token has not expired (`now`: Unix seconds)."""
        digest = _digest(token)
        entry = self._identities.get(digest)
        if entry is None:
            return None
        if entry[0] != generation or now >= entry[1].expires:
            del self._identities[digest]
            return None
        self._identities.move_to_end(digest)
        return entry[1]

    def put(self, token: str, generation: int, identity: Identity) -> None:
        if self._capacity == 0:
            return
        if len(self._identities) >= self._capacity:
            self._identities.popitem(last=False)
        self._identities[_digest(token)] = (generation, identity)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
