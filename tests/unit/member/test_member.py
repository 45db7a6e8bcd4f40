"""The domain's rules, without any store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.member.domain import values
from services.member.domain.errors import InvalidMember
from services.member.domain.member import Address, Grade, Member, Profile

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
PROFILE = Profile(email="minji@example.com", name="Kim Minji")
HOME = Address(recipient="Kim Minji", line1="1 Sejong-daero", city="Seoul", postal_code="04524", country="KR")


def test_each_change_is_a_version() -> None:
    member = Member.new(UUID(int=1), PROFILE, NOW)
    changed = member.changed(replace(PROFILE, name="Kim M."), LATER)
    assert (member.version, changed.version) == (1, 2)
    assert (changed.created_at, changed.updated_at) == (NOW, LATER)


def test_consent_keeps_its_time_until_it_changes() -> None:
    consenting = replace(PROFILE, marketing_consent=True)
    member = Member.new(UUID(int=1), consenting, NOW)
    assert member.consent_changed_at == NOW
    assert member.changed(replace(consenting, name="X"), LATER).consent_changed_at == NOW
    assert member.changed(PROFILE, LATER).consent_changed_at == LATER
    assert Member.new(UUID(int=1), PROFILE, NOW).consent_changed_at is None


@pytest.mark.parametrize(
    ("text", "normal"),
    [("Minji@Example.COM", "minji@example.com"), ("a+b@example.com", "a+b@example.com")],
)
def test_an_email_has_one_normal_form(text: str, normal: str) -> None:
    assert values.email(text) == normal


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b.example", "a b@example.com", "a@b@c.example", "a@example..com"]
)
def test_what_is_no_email_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        values.email(text)


@pytest.mark.parametrize("text", ["+821012345678", "+82 10-1234-5678", "+1 (415) 555.2671"])
def test_a_phone_number_is_reduced_to_its_digits(text: str) -> None:
    assert values.phone(text) in {"+821012345678", "+14155552671"}


@pytest.mark.parametrize(
    "text", ["", "010-1234-5678", "+0123456789", "+82", "+8210123456789012", "+82x10", "+８２10"]
)
def test_a_number_that_is_not_international_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="international"):
        values.phone(text)


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidMember) as caught:
        values.profile(
            email="nobody",
            name=" ",
            phone="1",
            grade=Grade.STANDARD,
            addresses=[HOME, replace(HOME, city="", country="Korea")],
            marketing_consent=False,
        )
    assert list(caught.value.faults) == ["email", "name", "phone", "addresses.1.city", "addresses.1.country"]


def test_addresses_are_limited() -> None:
    with pytest.raises(InvalidMember, match="valid") as caught:
        values.profile(
            email="a@example.com",
            name="A",
            phone=None,
            grade=Grade.STANDARD,
            addresses=[HOME] * (values.MAX_ADDRESSES + 1),
            marketing_consent=False,
        )
    assert list(caught.value.faults) == ["addresses"]


@given(st.text(max_size=200))
def test_a_line_is_refused_or_normal_and_stays_so(text: str) -> None:
    try:
        normal = values.line(text)
    except ValueError:
        return
    assert values.line(normal) == normal
    assert 1 <= len(normal) <= values.MAX_NAME
    assert not any(character in normal for character in "\0\n\r\t")


def test_an_address_that_stays_is_not_judged_by_todays_rules() -> None:
    old = Address(recipient="\u200b", line1="x", city="Seoul", postal_code="04524", country="KR")
    present = Profile(email="minji@example.com", name="Kim Minji", addresses=(old,))
    new = Address(recipient="Kim", line1="Sejong-daero 110", city="Seoul", postal_code="04524", country="KR")
    changed = values.profile(
        email=present.email,
        name=present.name,
        phone=None,
        grade=present.grade,
        addresses=[old, new],
        marketing_consent=False,
        present=present,
    )
    assert changed.addresses == (old, new)


@pytest.mark.parametrize(
    "text", ["\u202a+82 10-1234-5678\u202c", "＋８２１０１２３４５６７８", "+82\u00a010\u20111234\u20135678"]
)
def test_a_phone_number_is_read_as_people_paste_it(text: str) -> None:
    assert values.phone(text) == "+821012345678"
