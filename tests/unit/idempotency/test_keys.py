"""The key in the headers: draft-ietf-httpapi-idempotency-key-header-07 §2.1, and bare values."""

import pytest

from kong.plugins.idempotency.keys import MalformedKey, find_key

NAMES = ["idempotency-key", "x-idempotency-key"]


def test_a_request_without_either_header_has_no_key() -> None:
    assert find_key({"content-type": "application/json"}, NAMES) is None


@pytest.mark.parametrize("name", NAMES)
def test_either_header_carries_the_key(name: str) -> None:
    assert (
        find_key({name: "8e03978e-40d5-43dd-bc93-6894a57f9324"}, NAMES)
        == "8e03978e-40d5-43dd-bc93-6894a57f9324"
    )


def test_a_quoted_key_is_the_same_key_as_a_bare_one() -> None:
    assert (
        find_key({"idempotency-key": '"abc"'}, NAMES) == find_key({"idempotency-key": "abc"}, NAMES) == "abc"
    )


def test_escapes_in_a_quoted_key_are_resolved() -> None:
    assert find_key({"idempotency-key": r'"a\"b\\c"'}, NAMES) == r'a"b\c'


def test_both_headers_may_carry_the_same_key() -> None:
    assert find_key({"idempotency-key": '"abc"', "x-idempotency-key": "abc"}, NAMES) == "abc"


def test_two_different_keys_are_refused() -> None:
    with pytest.raises(MalformedKey, match="different keys"):
        find_key({"idempotency-key": "abc", "x-idempotency-key": "abd"}, NAMES)


def test_a_repeated_header_is_refused() -> None:
    with pytest.raises(MalformedKey, match="more than once"):
        find_key({"idempotency-key": ["abc", "abc"]}, NAMES)


@pytest.mark.parametrize("value", [None, "", " ", "\t", '""'])
def test_an_empty_key_is_refused(value: str | None) -> None:
    with pytest.raises(MalformedKey, match="is empty"):
        find_key({"idempotency-key": value}, NAMES)


@pytest.mark.parametrize("value", ["a,b", '"a,b"', ",", "abc,"])
def test_a_comma_is_refused(value: str) -> None:
    with pytest.raises(MalformedKey, match="comma"):
        find_key({"idempotency-key": value}, NAMES)


@pytest.mark.parametrize("value", ["a b", '"a b"', "ключ", "a\x7f", "a\x00b", "caf\udce9", "a\tb"])
def test_anything_but_visible_ascii_is_refused(value: str) -> None:
    with pytest.raises(MalformedKey, match="visible ASCII"):
        find_key({"idempotency-key": value}, NAMES)


@pytest.mark.parametrize(
    "value",
    ['"abc', '"', '"abc"x', '"abc";P=1', '"abc";p=', '"abc" ;p', '"abc";', '"abc","d"', r'"a\bc"', '"abc\\'],
)
def test_a_broken_quoted_string_is_refused(value: str) -> None:
    with pytest.raises(MalformedKey, match="quoted key"):
        find_key({"idempotency-key": value}, NAMES)


@pytest.mark.parametrize(
    "value",
    [
        '"abc";p=1',
        '"abc";p',
        '"abc"; p=?1;q="x, \\"y\\""',
        '"abc";a=1.5;b=token/x:y;c=:YQ==:;d=@1700000000;*e=-7',
        '"abc";p=%"f%c3%bc"',
    ],
)
def test_parameters_of_a_quoted_key_are_read_and_ignored(value: str) -> None:
    """RFC 9651 §3.1.2: an item may have them, and none is defined for this header."""
    assert find_key({"idempotency-key": value}, NAMES) == "abc"


def test_a_bare_key_is_what_it_is() -> None:
    assert find_key({"idempotency-key": "abc;p=1"}, NAMES) == "abc;p=1"


def test_255_characters_are_the_longest_key() -> None:
    assert find_key({"idempotency-key": "k" * 255}, NAMES) == "k" * 255
    assert find_key({"idempotency-key": f'"{"k" * 255}"'}, NAMES) == "k" * 255
    with pytest.raises(MalformedKey, match="longer than 255"):
        find_key({"idempotency-key": "k" * 256}, NAMES)
