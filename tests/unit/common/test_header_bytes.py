"""People read a header value as what its sender wrote."""

import pytest

from common import header_bytes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"curl/8.5.0", "curl/8.5.0"),
        ("쇼핑앱/1.0".encode(), "쇼핑앱/1.0"),
        ("café/1".encode("latin-1"), "café/1"),
        (b"\xff\xfe", "ÿþ"),
        (b"", ""),
    ],
)
def test_a_value_is_shown_as_utf_8_where_it_is(value: bytes, text: str) -> None:
    assert header_bytes.shown(value) == text
    assert header_bytes.shown(value.decode("latin-1")) == text


@pytest.mark.parametrize("value", [b"a", "쇼핑".encode(), b"\xe9", bytes(range(128, 256))])
def test_no_byte_is_lost_on_the_way_to_the_next_hop(value: bytes) -> None:
    assert header_bytes.sendable(value).encode("utf-8", "surrogateescape") == value
