"""Leaves out, for a while, an address of a name that takes connections and answers nothing.

A client that meets a hung replica waits its whole timeout. Connections that cannot be opened cost little:
common/http_pool.py tries the next address after a quarter of a second.
"""

import time
from collections.abc import Callable, Sequence

FAILURES = 3
"""Timeouts in a row after which an address is left out."""
PAUSE = 15.0
"""Seconds until it is tried again; one more timeout then leaves it out anew."""
KNOWN = 256
"""Addresses that are remembered at most."""


class AddressHealth:
    """Timeouts in a row by address, and until when an address is left out. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._left_out: dict[str, float] = {}

    def failed(self, address: str) -> bool:
        """A timeout of `address`. True where it is left out by it."""
        count = self._failures.pop(address, 0) + 1
        self._failures[address] = count
        for oldest in list(self._failures)[:-KNOWN]:
            self._forget(oldest)
        if count >= FAILURES:
            self._left_out[address] = self._clock() + PAUSE
        return count >= FAILURES

    def answered(self, address: str) -> None:
        if address in self._failures:
            self._forget(address)

    def usable(self, addresses: Sequence[str]) -> list[str]:
        """`addresses` without those that are left out; all of them where none would remain."""
        now = self._clock()
        good = [address for address in addresses if self._left_out.get(address, 0.0) <= now]
        return good or list(addresses)

    def _forget(self, address: str) -> None:
        self._failures.pop(address, None)
        self._left_out.pop(address, None)
