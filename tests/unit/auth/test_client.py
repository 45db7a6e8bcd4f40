"""The client's address, behind proxies that are ours and with headers that may be made up."""

import pytest
from litestar.testing import RequestFactory

from services.auth.web.client import ClientReader, address, parse_networks

OURS = parse_networks("127.0.0.0/8, ::1/128, 10.0.0.0/8")


def test_an_empty_part_of_the_list_is_no_network() -> None:
    """compose.prod.yaml ends the list with a variable that is mostly empty."""
    assert (
        parse_networks("10.0.0.0/26,") == parse_networks(" ,10.0.0.0/26, ,") == parse_networks("10.0.0.0/26")
    )
    assert parse_networks("") == parse_networks(",") == ()


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


def test_a_device_is_named_as_its_sender_wrote_it() -> None:
    request = RequestFactory().get(headers={"User-Agent": "쇼핑앱/1.0".encode().decode("latin-1")})
    assert ClientReader(())(request).device == "쇼핑앱/1.0"
