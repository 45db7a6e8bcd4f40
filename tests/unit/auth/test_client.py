"""The client's address, behind proxies that are ours and with headers that may be made up."""

import pytest

from services.auth.web.client import address, parse_networks

OURS = parse_networks("127.0.0.0/8, ::1/128, 10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "made up", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, made up", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1"),
        ("", "198.51.100.7", ""),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(peer: str, forwarded: str, expected: str) -> None:
    assert address(peer, forwarded, OURS) == expected
