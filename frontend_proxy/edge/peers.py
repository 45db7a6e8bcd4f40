"""The client's address: the peer of the socket, or what a trusted TLS terminator says."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from common import client_address
from common.client_address import Network


class Peer(NamedTuple):
    """The client's address and the scheme that it used. `unreadable`: what a trusted proxy wrote in place of one.
    `proxied`: whether a trusted proxy passed the request on."""

    address: str
    scheme: str
    unreadable: str | None = None
    proxied: bool = False


def seen(socket_peer: str, scheme: str, headers: Mapping[str, list[str]], trusted: Sequence[Network]) -> Peer:
    """`X-Forwarded-For` as all parts read it; `X-Forwarded-Proto` where a trusted peer sends one."""
    found = client_address.client(socket_peer, headers.get("x-forwarded-for", []), trusted)
    parsed = client_address.parse(socket_peer) if trusted else None
    proxied = parsed is not None and any(parsed in network for network in trusted)
    if proxied:
        forwarded = [value.strip().lower() for value in headers.get("x-forwarded-proto", [])]
        scheme = forwarded[0] if forwarded in (["http"], ["https"]) else scheme
    return Peer(found.address, scheme, found.unreadable, proxied)
