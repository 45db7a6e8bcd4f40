"""Refresh tokens: what is auth's own, and what is somebody's invention."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain import refresh_tokens

KEY = b"k" * 32
SESSION = UUID("11111111-1111-4111-8111-111111111111")


def test_a_token_reads_back_as_genuine_with_its_session() -> None:
    issued = refresh_tokens.issue(SESSION, b"r" * 32, KEY)
    read = refresh_tokens.read(issued.text, KEY)
    assert read == issued
    assert read is not None
    assert read.genuine
    assert read.session == SESSION


def test_a_token_made_up_around_a_known_session_is_not_genuine() -> None:
    made_up = urlsafe_b64encode(SESSION.bytes + b"x" * 48).rstrip(b"=").decode()
    read = refresh_tokens.read(made_up, KEY)
    assert read is not None
    assert not read.genuine


def test_another_key_does_not_vouch_for_the_token() -> None:
    read = refresh_tokens.read(refresh_tokens.issue(SESSION, b"r" * 32, b"other key").text, KEY)
    assert read is not None
    assert not read.genuine


@given(position=st.integers(0, 511))
def test_no_bit_of_a_token_can_be_changed(position: int) -> None:
    raw = bytearray(urlsafe_b64decode(refresh_tokens.issue(SESSION, b"r" * 32, KEY).text + "=="))
    raw[position // 8] ^= 1 << position % 8
    read = refresh_tokens.read(urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode(), KEY)
    assert read is not None
    assert not read.genuine


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read = refresh_tokens.read(text, KEY)
    assert read is None or not read.genuine


@pytest.mark.parametrize(
    "spoil", [lambda t: t + "=", lambda t: t[:-1], lambda t: " " + t[1:], lambda t: t + "\n"]
)
def test_another_spelling_of_a_token_is_no_token(spoil: object) -> None:
    text = refresh_tokens.issue(SESSION, b"r" * 32, KEY).text
    assert callable(spoil)
    assert refresh_tokens.read(spoil(text), KEY) is None


def test_the_last_characters_spare_bits_do_not_make_a_second_spelling() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = refresh_tokens.issue(SESSION, b"r" * 32, KEY).text
    accepted = [last for last in alphabet if refresh_tokens.read(text[:-1] + last, KEY) is not None]
    genuine = [
        last for last in accepted if (token := refresh_tokens.read(text[:-1] + last, KEY)) and token.genuine
    ]
    assert genuine == [text[-1]]


def test_the_token_does_not_show_in_its_representation() -> None:
    issued = refresh_tokens.issue(SESSION, b"r" * 32, KEY)
    assert issued.text not in repr(issued)


def test_a_token_takes_256_random_bits() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        refresh_tokens.issue(SESSION, b"short", KEY)
