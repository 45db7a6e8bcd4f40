"""Small decisions: cookies, tokens in answers, addresses of peers, logs."""

import json
from ipaddress import ip_network

import pytest

from frontend_proxy.auth_client import without_tokens
from frontend_proxy.cookies import SessionCookies, Tokens, parse
from frontend_proxy.edge import peers
from frontend_proxy.problems import Problem

TOKENS = {"access_token": "a.b.c", "refresh_token": "r", "token_type": "Bearer", "refresh_expires_in": 60}


def test_tokens_leave_an_answer_and_nothing_else_does() -> None:
    answer = without_tokens(
        200, [(b"content-length", b"9"), (b"x", b"y")], json.dumps({**TOKENS, "a": 1}).encode()
    )
    assert answer.tokens == Tokens("a.b.c", "r", 60)
    assert json.loads(answer.body) == {"refresh_expires_in": 60, "a": 1}
    assert (b"x", b"y") in answer.headers
    assert (b"content-length", str(len(answer.body)).encode()) in answer.headers


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"refresh_token": 7},
        {"refresh_expires_in": "60"},
        {"refresh_expires_in": -1},
        {"refresh_token": ""},
        {"access_token": "a" * 5000},
    ],
)
def test_unusable_tokens_are_removed_as_well(change: dict[str, object]) -> None:
    answer = without_tokens(200, [], json.dumps({**TOKENS, **change}).encode())
    assert answer.tokens is None
    assert not {"access_token", "refresh_token"} & set(json.loads(answer.body))


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b'{"a": 1}'])
def test_answers_without_tokens_stay_byte_for_byte(body: bytes) -> None:
    assert without_tokens(200, [], body).body == body


def test_a_compressed_answer_of_auth_is_not_passed_on_unsearched() -> None:
    with pytest.raises(Problem) as caught:
        without_tokens(200, [(b"content-encoding", b"gzip")], b"...")
    assert caught.value.status == 502


def test_cookies_are_read_by_their_exact_names() -> None:
    headers = [(b"cookie", b"access_token=a; Access_token=b; x=1; =y; z"), (b"cookie", b" q=2")]
    assert parse(headers) == {"access_token": "a", "Access_token": "b", "x": "1", "q": "2", "": "y"}
    assert SessionCookies(secure=True).read(headers).access is None
    assert SessionCookies(secure=False).read(headers).access == "a"


@pytest.mark.parametrize("space", [b"\x85", b"\xa0", b"\x1f"])
def test_no_other_name_is_taken_for_one_that_only_this_host_may_set(space: bytes) -> None:
    """Such bytes are no white space in a cookie's name (RFC 6265bis §5.6), so a sibling domain may set it."""
    session_cookies = SessionCookies(secure=True)
    planted = b"a=b; " + space + b"__Host-access_token=x; " + space + b"__Host-refresh_token=y"
    assert session_cookies.read([(b"cookie", planted)]) == (None, None)
    assert session_cookies.read([(b"cookie", b"a=b;\t __Host-access_token=x \t;__Host-refresh_token=y")]) == (
        "x",
        "y",
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, garbage, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "203.0.113.7:50123", "203.0.113.7"),
        ("", "1.1.1.1", ""),
    ],
)
def test_forwarded_addresses_count_only_from_trusted_hops(peer: str, forwarded: str, expected: str) -> None:
    headers = {"x-forwarded-for": [forwarded]}
    assert peers.seen(peer, "http", headers, [ip_network("10.0.0.0/8")]).address == expected


@pytest.mark.parametrize(
    ("given", "expected"), [(["https"], "https"), (["https", "http"], "http"), (["ftp"], "http")]
)
def test_the_forwarded_scheme_counts_only_if_it_is_one(given: list[str], expected: str) -> None:
    headers = {"x-forwarded-proto": given}
    assert peers.seen("10.0.0.1", "http", headers, [ip_network("10.0.0.0/8")]).scheme == expected
