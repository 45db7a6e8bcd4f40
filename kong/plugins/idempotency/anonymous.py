"""Limits the keys of callers without an account: anybody can invent keys, and each takes memory for a while.

Each network has a limit, beyond which it is answered 429. All networks together have another one. Beyond that a request
goes on and its key is not kept here, so that a flood from many networks blocks no sign-in; the service's own record of
the key is all that is left then.
"""

from enum import Enum
from ipaddress import IPv6Address, ip_address
from typing import Protocol

import msgspec

LARGEST_BODY = 4096
"""Bytes of an answer to an anonymous caller that are kept."""


class Admission(Enum):
    ADMITTED = "admitted"
    NETWORK_FULL = "the caller's network has used up its share"
    TOTAL_FULL = "all networks together have used up theirs"


class Limits(msgspec.Struct, frozen=True):
    """Keys in `window` seconds: of one network, of all."""

    network: int
    total: int
    window: int

    def admission(self, of_network: int, of_all: int) -> Admission:
        """The answer for one more key, which both numbers include."""
        if of_network > self.network:
            return Admission.NETWORK_FULL
        return Admission.TOTAL_FULL if of_all > self.total else Admission.ADMITTED


class Counts(Protocol):
    async def count(self, name: bytes, window: float) -> int:
        """How often this name has been counted in the `window` seconds since it first was, this time included.

        Raises StoreUnavailableError.
        """


async def admit(counts: Counts, limits: Limits, address: str) -> Admission:
    """Whether one more key from this address may be kept. Raises StoreUnavailableError."""
    of_network = await counts.count(b"network:" + network(address).encode(), limits.window)
    if of_network > limits.network:
        return Admission.NETWORK_FULL  # and it does not use up the others' share
    return limits.admission(of_network, await counts.count(b"all", limits.window))


def network(address: str) -> str:
    """The network that `address` is counted in: the IPv4 address itself, or the /64 around an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
