"""Who is calling, as far as the network shows."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from litestar import Request

from common import header_bytes
from services.auth.application.signing_in import Client

Networks = Sequence[IPv4Network | IPv6Network]


def parse_networks(text: str) -> Networks:
    """`text`: CIDR networks, comma-separated. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def address(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The nearest address that is not one of our proxies.

    Each proxy appends whom it was called by, so the header is read from the right, and only while what wrote
    it is trusted: the left part is whatever the client made up.
    """
    nearest = peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()][-16:]):
        if not _within(nearest, trusted) or _parse(hop) is None:
            break
        nearest = hop
    return nearest


def _within(text: str, networks: Networks) -> bool:
    parsed = _parse(text)
    return parsed is not None and any(parsed in network for network in networks)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


class ClientReader:
    """The `client` dependency of handlers."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted

    def __call__(self, request: Request[Any, Any, Any]) -> Client:
        peer = request.client.host if request.client else ""
        return Client(
            address=address(peer, request.headers.get("X-Forwarded-For", ""), self._trusted),
            device=header_bytes.shown(request.headers.get("User-Agent", "")),
        )
