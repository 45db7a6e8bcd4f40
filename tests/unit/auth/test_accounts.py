"""E-mail addresses and roles of accounts."""

from uuid import UUID

import pytest

from services.auth.domain import accounts
from services.auth.domain.errors import InvalidEmail, UnknownRole


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Test@Example.COM", "test@example.com"),
        ("  test@example.com ", "test@example.com"),
        ("u\u0308ser@example.com", "üser@example.com"),
        ("user@example.test", "user@example.test"),
        ("user+tag@sub.example.com", "user+tag@sub.example.com"),
    ],
)
def test_one_mailbox_has_one_spelling(typed: str, stored: str) -> None:
    assert accounts.normalise_email(typed) == stored
    assert accounts.lookup_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no address",
        "a@",
        "@example.com",
        "a@b@c.com",
        "a\x00@example.com",
        "a\n@example.com",
        "x" * 65 + "@example.com",
        "a@example",
        "\ud800@example.com",
    ],
)
def test_what_is_no_address_is_refused_at_registration_and_unknown_at_sign_in(typed: str) -> None:
    with pytest.raises(InvalidEmail):
        accounts.normalise_email(typed)
    sought = accounts.lookup_email(typed)
    assert "@" not in sought
    assert sought.isascii()
    assert len(sought) < 100


def test_what_stands_for_an_erased_address_is_an_address_of_nobody() -> None:
    stands = accounts.erased_email(UUID(int=1))
    assert stands != accounts.erased_email(UUID(int=2))
    with pytest.raises(InvalidEmail):
        accounts.normalise_email(stands)


def test_a_role_is_granted_once() -> None:
    assert accounts.with_role(("member",), "admin") == ("admin", "member")
    assert accounts.with_role(("admin", "member"), "admin") == ("admin", "member")


def test_a_role_is_taken_away_once() -> None:
    assert accounts.without_role(("admin", "member"), "admin") == ("member",)
    assert accounts.without_role(("member",), "admin") == ("member",)


def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownRole, match="admin, member"):
        accounts.with_role(("member",), "emperor")
    with pytest.raises(UnknownRole, match="admin, member"):
        accounts.without_role(("member",), "emperor")
