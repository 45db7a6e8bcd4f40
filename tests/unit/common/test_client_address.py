"""The client's address, behind proxies that are ours and with headers that may be made up."""

import pytest

from common.client_address import ClientAddress, client, networks, parse

OURS = networks("127.0.0.0/8, ::1/128, 10.0.0.0/8")


def test_an_empty_part_of_the_list_is_no_network() -> None:
    """compose.prod.yaml ends the list with a variable that is mostly empty."""
    assert networks("10.0.0.0/26,") == networks(" ,10.0.0.0/26, ,") == networks("10.0.0.0/26")
    assert networks("") == networks(",") == ()


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
        ("127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1"),
        ("127.0.0.1", "made up, 198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
        ("127.0.0.1", ", 198.51.100.7,\t,", "198.51.100.7"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(peer: str, forwarded: str, expected: str) -> None:
    assert client(peer, [forwarded], OURS) == ClientAddress(expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("203.0.113.7:50123", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ('"203.0.113.7:1"', "203.0.113.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
    ],
)
def test_a_port_quotes_and_a_zone_are_taken_off(written: str, expected: str) -> None:
    assert client("127.0.0.1", [written], OURS) == ClientAddress(expected)
    assert client("127.0.0.1", [f"6.6.6.6, {written} , 10.0.0.3:9"], OURS) == ClientAddress(expected)


@pytest.mark.parametrize(
    "written",
    [
        "unknown",
        "_hidden",
        "203.0.113.7:",
        "203.0.113.7:port",
        "203.0.113.7:123456",
        "[2001:db8::1",
        "[203.0.113.7:80",
        "2001:db8::1]:443",
        "203.0.113.07",
        "203.0.113",
        "٢٠٣.0.113.7",
        '"203.0.113.7',
        "for=203.0.113.7",
    ],
)
def test_what_names_nobody_is_reported_and_the_proxy_that_wrote_it_is_the_client(written: str) -> None:
    assert client("127.0.0.1", [f"198.51.100.7, {written}"], OURS) == ClientAddress("127.0.0.1", written)
    assert client("203.0.113.9", [written], OURS) == ClientAddress("203.0.113.9"), "nobody asked it"


def test_several_header_lines_are_one_list() -> None:
    """HAProxy adds a line of its own: the first one is the client's invention."""
    assert client("127.0.0.1", ["6.6.6.6", "198.51.100.7"], OURS) == ClientAddress("198.51.100.7")


def test_a_chain_is_followed_so_far_and_no_further() -> None:
    chain = ", ".join(["198.51.100.7", *["10.0.0.1"] * 5000])
    assert client("127.0.0.1", [chain], OURS) == ClientAddress("10.0.0.1")


def test_what_was_not_readable_is_cut_short() -> None:
    assert client("127.0.0.1", ["x" * 9000], OURS).unreadable == "x" * 64


def test_an_address_has_one_spelling() -> None:
    assert parse("2001:0DB8::0001") == parse("2001:db8::1")
