import pytest

from frontend_proxy.pages import profiles
from frontend_proxy.pages.forms import Form


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("", None),
        ("  ", None),
        ("010-1234-5678", "+821012345678"),
        ("02 123 4567", "+8221234567"),
        ("+82 10-1234-5678", "+821012345678"),
        ("+1 (415) 555-0100", "+14155550100"),
        ("call me", "callme"),
    ],
)
def test_phone_numbers_become_e164_and_nonsense_is_left_to_the_api(typed: str, sent: str | None) -> None:
    assert profiles.phone(typed) == sent


@pytest.mark.parametrize(
    ("text", "version"), [("7", 7), ("", 0), ("-1", 0), ("7\n", 7), ("a", 0), ("9" * 12, 0)]
)
def test_a_made_up_version_is_never_current(text: str, version: int) -> None:
    assert profiles.version(Form({"version": text})) == version


def test_what_somebody_else_stored_is_shown_where_it_differs() -> None:
    mine = {"name": "Kim", "email": "a@b.example", "phone": "010-1234-5678", "marketing_consent": False}
    stored = profiles.stored(
        {
            "name": "Kim",
            "email": "c@d.example",
            "phone": "+821012345678",
            "grade": "gold",
            "marketing_consent": False,
        }
    )
    assert profiles.differing(mine, stored) == {"email": "c@d.example"}


def test_a_form_without_a_usable_key_gets_one_of_its_own() -> None:
    assert len(Form({"idempotency_key": "a, b"}).key) == 36
    key = "0b0f3a0e-9d0c-4f57-8f54-3b3a6bb5f8f1"
    assert Form({"idempotency_key": key}).key == key
