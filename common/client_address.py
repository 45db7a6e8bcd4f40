"""One rule for all parts: the address of the client behind proxies that are ours (`X-Forwarded-For`).

Each proxy appends whom it was called by, so the header is read from its end, and only while what wrote an element is
trusted: what lies to the left of an untrusted address is whatever the client made up. Several header lines are one list
(RFC 9110 §5.3), empty elements are skipped (§5.6.1). Pure.

An element may be an address, or an address with a port (Azure's gateways write `203.0.113.7:50123` and
`[2001:db8::1]:443`), either of them quoted. `unknown` and `_hidden` (RFC 7239 §6) name nobody, and neither does
anything else: then the client is the proxy that wrote it, and `unreadable` holds what it wrote, for a log and a
counter.
"""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MOST_HOPS = 32
"""Longer chains of our own proxies are not followed further."""

LONGEST_KEPT = 64
"""Characters of an element whose reading is remembered."""

_PORT = r"(?::[0-9]{1,5})?"
_V4 = re.compile(rf"([0-9.]{{7,15}}){_PORT}", re.ASCII)
_V6 = re.compile(rf"\[([^\]]{{2,64}})\]{_PORT}", re.ASCII)


class ClientAddress(NamedTuple):
    """`address` in its one spelling; the peer as given where it is no address. `unreadable`: at most 64 characters."""

    address: str
    unreadable: str | None = None


def networks(text: str) -> tuple[Network, ...]:
    """CIDR networks, comma-separated; empty parts are none. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse(text: str) -> Address | None:
    """The address that an element names; None where it names none.

    An IPv4 address mapped into IPv6 is the IPv4 address. A zone means something on one machine only and is dropped.
    """
    # Requests come from the same few proxies. What is longer than an address is up to whoever sent it, and not kept.
    return _remembered(text) if len(text) <= LONGEST_KEPT else _parsed(text)


def _parsed(text: str) -> Address | None:
    text = text.strip(" \t")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    bare = _V4.fullmatch(text) or _V6.fullmatch(text)
    try:
        found = ipaddress.ip_address((bare[1] if bare else text).partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


_remembered = lru_cache(maxsize=1024)(_parsed)


def client(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> ClientAddress:
    """The nearest address that is not one of our proxies. `forwarded_for`: the header's lines, in their order."""
    if not forwarded_for or not trusted:
        return _alone(peer)
    nearest = parse(peer)
    if nearest is None:
        return ClientAddress(peer)
    hops = [hop.strip(" \t") for line in forwarded_for for hop in line.split(",")]
    for hop in [hop for hop in reversed(hops) if hop][:MOST_HOPS]:
        if not _within(nearest, trusted):
            break
        found = parse(hop)
        if found is None:
            return ClientAddress(str(nearest), hop[:64])
        nearest = found
    return ClientAddress(str(nearest))


@lru_cache(maxsize=1024)
def _alone(peer: str) -> ClientAddress:
    """The client where nobody is believed who says otherwise."""
    address = parse(peer)
    return ClientAddress(peer if address is None else str(address))


def _within(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
