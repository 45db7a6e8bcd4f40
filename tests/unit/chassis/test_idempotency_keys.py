"""The key's grammar, as the gateway's plugin has it."""

import pytest

from services.chassis.errors import BadRequest
from services.chassis.idempotency import keys
from services.chassis.idempotency.fingerprint import fingerprint


def find(*values: str, name: str = "idempotency-key") -> str | None:
    return keys.find([(name.encode(), value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("abc", "abc"),
        ("  abc\t", "abc"),
        ('"abc"', "abc"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ("!~", "!~"),
        ('"abc";a=1', "abc"),
        ("abc;a=1", "abc;a=1"),
        ('a"b', 'a"b'),
        ("k" * 255, "k" * 255),
    ],
)
def test_bare_and_quoted_keys_mean_the_same(sent: str, key: str) -> None:
    assert find(sent) == key
    assert find(sent, name="X-Idempotency-Key") == key


@pytest.mark.parametrize(
    "sent",
    [
        "",
        '""',
        "a b",
        "a,b",
        '"a b"',
        '"a',
        '"a"b',
        r'"a\b"',
        '"a\\',
        '"',
        "é",
        "k" * 256,
        '"' + "k" * 256 + '"',
    ],
)
def test_malformed_keys_are_refused(sent: str) -> None:
    with pytest.raises(BadRequest):
        find(sent)


def test_a_repeated_header_is_refused() -> None:
    with pytest.raises(BadRequest):
        find("a", "a")


def test_both_headers_must_agree() -> None:
    both = [(b"idempotency-key", b'"a"'), (b"x-idempotency-key", b"a")]
    assert keys.find(both) == "a"
    with pytest.raises(BadRequest):
        keys.find([*both[:1], (b"x-idempotency-key", b"b")])


def test_no_header_is_no_key() -> None:
    assert keys.find([(b"accept", b"*/*")]) is None


def test_a_fingerprint_tells_every_part_apart() -> None:
    parts = ("POST", "/a", b"b=1", "application/json", b"{}")
    others = [
        ("PUT", *parts[1:]),
        ("POST", "/ab", b"=1", *parts[3:]),
        ("POST", "/a", b"b=2", *parts[3:]),
        (*parts[:3], "text/plain", b"{}"),
        (*parts[:4], b"{} "),
    ]
    assert len({fingerprint(*each) for each in [parts, *others]}) == 6
    assert fingerprint(*parts) == fingerprint(*parts)


def test_a_fingerprint_with_a_secret_cannot_be_made_without_it() -> None:
    parts = ("POST", "/a", b"", "application/json", b'{"password": "guess"}')
    prints = {fingerprint(*parts), fingerprint(*parts, secret=b"one"), fingerprint(*parts, secret=b"two")}
    assert len(prints) == 3
