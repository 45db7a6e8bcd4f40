"""Which new passwords are accepted (NIST SP 800-63B)."""

import pytest

from services.auth.domain import passwords
from services.auth.domain.errors import UnacceptablePassword


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "äöü ßéñ 한국어", "        x", "x9" * 64, "x9" * 128, "🙂🙃😀😁😂🤣😃😄"],
)
def test_length_alone_is_asked_for(password: str) -> None:
    assert passwords.accept(password) == passwords.normalise(password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("seven77", "at least 8"),
        ("x9" * 128 + "x", "more than 256"),
        ("password123", "commonest"),
        ("PassWord123", "commonest"),
        ("P@ssw0rd", "commonest"),
        ("1q2w3e4r", "commonest"),
        ("Admin@123", "commonest"),
        ("aaaaaaaaaaaa", "repeated"),
        ("23456789ab"[:8], "consecutive|commonest"),
        ("hgfedcba", "consecutive|commonest"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(UnacceptablePassword, match=why):
        passwords.accept(password)


@pytest.mark.parametrize(
    "password",
    [
        "minji.kim@example.com",
        "Minji.Kim",
        "kim minji",
        "KimMinji",
        "Gatehouse",
        "gatehouse2026!",
        "!!Minji.Kim99",
        "123KimMinji",
    ],
)
def test_the_owners_own_words_are_refused(password: str) -> None:
    with pytest.raises(UnacceptablePassword):
        passwords.accept(password, ("minji.kim@example.com", "Kim Minji"))


@pytest.mark.parametrize("password", ["my gatehouse in spring", "kimchi for minji", "ab#1234567"])
def test_a_password_may_hold_such_a_word_among_others(password: str) -> None:
    assert passwords.accept(password, ("ab@example.com", "Kim Minji")) == password


def test_two_spellings_of_one_password_are_one() -> None:
    composed, decomposed = "ca\u0301fe-passwort", "cáfe-passwort"
    assert passwords.accept(composed) == passwords.accept(decomposed)


def test_the_list_of_the_commonest_has_only_what_could_otherwise_be_chosen() -> None:
    listed = passwords.commonest()
    assert len(listed) >= 1500
    assert all(len(word) >= passwords.SHORTEST and word == word.casefold() for word in listed)
