"""An address has one spelling where it is stored, and one that every relay takes on the wire."""

import pytest

from common.email_address import LONGEST, normalise, on_the_wire


@pytest.mark.parametrize(
    "typed",
    [
        "a@bücher.example",
        "A@BÜCHER.example",
        "a@bu\u0308cher.example",
        "a@xn--bcher-kva.example",
        "a@XN--BCHER-KVA.EXAMPLE",
        " a@bücher。example ",
    ],
)
def test_a_domain_in_either_form_is_one_address(typed: str) -> None:
    assert normalise(typed) == "a@bücher.example"
    assert on_the_wire(normalise(typed)) == "a@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("a@example.com", "a@example.com"),
        ("다@쇼핑.example", "다@xn--hp4bo76a.example"),
        ("다@example.com", "다@example.com"),
        ("a@faß.example", "a@xn--fa-hia.example"),
    ],
)
def test_only_the_domain_changes_on_the_wire(address: str, wire: str) -> None:
    assert normalise(address) == address
    assert on_the_wire(address) == wire


@pytest.mark.parametrize(
    "typed", ["a@xn--a.example", "a@xn--999999999.example", "a@b..example", "a@", "a\x00@b.example"]
)
def test_what_is_no_address_is_said_in_our_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^must be an e-mail address such as name@example\.com$"):
        normalise(typed)


@pytest.mark.parametrize("typed", ["İ@example.com", "ΟΔΟΣ@example.com", "Ǆ@example.com"])
def test_the_spelling_is_its_own_spelling(typed: str) -> None:
    assert normalise(normalise(typed)) == normalise(typed)


def test_no_address_is_longer() -> None:
    domain = ".".join(["d" * 63, "d" * 63, "d" * 54, "example"])
    longest = "a" * (LONGEST - 1 - len(domain)) + "@" + domain
    assert len(normalise(longest)) == LONGEST
    with pytest.raises(ValueError, match="must be"):
        normalise("a" + longest)
