"""Who is really on the other end: the socket's peer, or what a TLS terminator that we trust says of it."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from frontend_proxy.settings import Network


class Peer(NamedTuple):
    """The client's address and the scheme that it used."""

    address: str
    scheme: str


def seen(socket_peer: str, scheme: str, headers: Mapping[str, list[str]], trusted: Sequence[Network]) -> Peer:
    """Reads `X-Forwarded-For` from its end, through trusted hops only: what lies before an untrusted one is
    hearsay."""
    if not _within(socket_peer, trusted):
        return Peer(socket_peer, scheme)
    address = socket_peer
    hops = [hop.strip() for value in headers.get("x-forwarded-for", []) for hop in value.split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        address = hop
        if not _within(hop, trusted):
            break
    forwarded = [value.strip().lower() for value in headers.get("x-forwarded-proto", [])]
    return Peer(address, forwarded[0] if forwarded in (["http"], ["https"]) else scheme)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(text: str, networks: Sequence[Network]) -> bool:
    if not networks or not _is_address(text):
        return False
    address = ip_address(text)
    return any(address in network for network in networks)
