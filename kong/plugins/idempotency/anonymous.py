"""How many keys callers without an account may have kept: anybody can make up keys, and each takes memory for a while.

One network has a limit of its own, beyond which it has to wait. All of them together have another; beyond it a
request goes on without its key being kept here, and what the service promises of keys is left: those who come from
many networks at once must not keep others from signing in.
"""

from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Protocol

import msgspec

LARGEST_BODY = 4096
"""Bytes of an answer to an anonymous caller that are kept."""


class Room(Enum):
    FREE = "free"
    NETWORK_FULL = "the caller's network has used up its share"
    ALL_FULL = "all networks together have"


class Shares(msgspec.Struct, frozen=True):
    """Keys in `window` seconds: of one network, of all."""

    network: int
    total: int
    window: int

    def room(self, of_network: int, of_all: int) -> Room:
        """For one more, counted already in both."""
        if of_network > self.network:
            return Room.NETWORK_FULL
        return Room.ALL_FULL if of_all > self.total else Room.FREE


class Counts(Protocol):
    async def count(self, name: bytes, window: float) -> int:
        """How often this name has been counted in the `window` seconds since it first was, this time included.

        Raises StoreUnavailableError.
        """


async def admit(counts: Counts, shares: Shares, address: str) -> Room:
    """Whether one more key from this address may be kept. Raises StoreUnavailableError."""
    of_network = await counts.count(b"network:" + network(address).encode(), shares.window)
    if of_network > shares.network:
        return Room.NETWORK_FULL  # and it does not use up the others' share
    return shares.room(of_network, await counts.count(b"all", shares.window))


def network(address: str) -> str:
    """What one client cannot leave at will: its IPv4 address, or the /64 that it chooses IPv6 addresses from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
