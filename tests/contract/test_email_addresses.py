"""auth and member judge an e-mail address alike: what one takes and the other refuses would be a dead letter."""

from collections.abc import Callable

import pytest

from services.auth.domain.accounts import normalise_email
from services.auth.domain.errors import InvalidEmail
from services.member.domain import values

ADDRESSES = [
    "test@example.com",
    "Test@Example.COM",
    "  test@example.com\n",
    "u\u0308ser@example.com",
    "user+tag@sub.example.com",
    "user@example.test",
    "user@b\u00fccher.example",
    "user@xn--bcher-kva.example",
    "\ub2e4@example.com",
    "o'brien@example.com",
    "a.b@example.com",
    "a..b@example.com",
    ".a@example.com",
    "x" * 64 + "@example.com",
    "x" * 65 + "@example.com",
    "a@" + "x" * 63 + ".example",
    "a@" + "x" * 64 + ".example",
    "a@" + "x." * 120 + "com",
    "a@" + "x." * 130 + "com",
    "",
    " ",
    "no address",
    "a@",
    "@example.com",
    "a@b@c.com",
    "a@example",
    "a@localhost",
    "a@[127.0.0.1]",
    '"quoted"@example.com',
    "Kim <kim@example.com>",
    "a\x00@example.com",
    "a\n@example.com",
    "a b@example.com",
    "a@exa mple.com",
    "\ud800@example.com",
    "a@example.invalid",
    "a@example.local",
]


@pytest.mark.parametrize("typed", ADDRESSES)
def test_an_address_is_the_same_or_refused_on_both_sides(typed: str) -> None:
    assert outcome(values.email, typed) == outcome(normalise_email, typed)


def test_the_list_has_good_addresses_and_bad_ones() -> None:
    good = [typed for typed in ADDRESSES if outcome(values.email, typed) is not None]
    assert 10 <= len(good) <= len(ADDRESSES) - 10


def outcome(rule: Callable[[str], str], typed: str) -> str | None:
    """The normal form; None where the address is refused."""
    try:
        return rule(typed)
    except (ValueError, InvalidEmail):
        return None
