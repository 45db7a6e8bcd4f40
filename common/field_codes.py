"""What can be wrong with a value: one list of codes for every service, and for the pages that translate them.

A program reads the code and its parameters; the sentence is for the developer who reads the answer. People read the
front end's own sentences, `frontend_proxy/pages/fields/*.toml`, one for each code in each language.
"""

from collections.abc import Mapping
from string import Formatter

Parameter = int | str

MESSAGES: Mapping[str, str] = {
    "required": "is required",
    "blank": "must hold something visible",
    "too_short": "must have at least {min} characters",
    "too_long": "must not have more than {max} characters",
    "too_few": "must have at least {min} items",
    "too_many": "must not have more than {max} items",
    "too_small": "must be at least {min}",
    "too_large": "must be at most {max}",
    "forbidden_characters": "must not hold control characters",
    "wrong_type": "must be of the type {expected}",
    "not_allowed": "is not one of the values that are allowed",
    "invalid": "is not in the form that is expected",
    "invalid_email": "must be an e-mail address such as name@example.com",
    "invalid_phone": "must be an international number such as +821012345678",
    "invalid_country": "must be a two-letter country code such as KR",
    "invalid_cursor": "is not a cursor of this listing in this order",
    "invalid_slug": "must be small letters a to z, digits and single hyphens, such as running-shoes",
    "invalid_sku": "must be letters, digits, dots, hyphens and underscores, such as SHOE-250",
    "invalid_code": "must be small letters, digits, hyphens and underscores, beginning with a letter or a digit",
    "duplicate": "must be there only once",
    "unknown_category": "must be a category that exists",
    "unknown_option_value": "must have one value for each option, in their order",
    "missing_language": "must have a text in at least one of the shop's languages",
    "not_chargeable": "must be a multiple of {step}: cards are charged in no other amounts of this currency",
    "too_much_to_charge": "must be at most {max}: no card is charged more of this currency at once",
    "not_above_price": "must be more than the price",
    "none_active": "must have one that is active, for a product that is",
    "inside_itself": "must not be the category itself or one below it",
    "too_deep": "must not make more than {max} levels of categories",
    "no_words": "must hold a letter or a digit",
    "too_many_words": "must not have more than {max} words",
    "no_utc_offset": "must have an offset from UTC, such as Z",
    "out_of_calendar": "must be between the years 1 and 9999 in UTC",
    "password_common": "is among the commonest passwords",
    "password_repetitive": "must be more than a repeated or consecutive character",
    "password_personal": "must be more than your address, your name or ours",
    "unknown_parameter": "is not a parameter of this address",
    "repeated": "must not be sent twice",
    "wrong_password": "is not the current password",
}
"""Each code's sentence; its placeholders are the code's parameters."""


class InvalidValue(ValueError):  # noqa: N818 - an answer to who typed it, not a fault
    """A value that is refused. `code` is one of MESSAGES, `params` what its sentence names."""

    def __init__(self, code: str, **params: Parameter) -> None:
        super().__init__(message(code, params))
        self.code = code
        self.params = params


def message(code: str, params: Mapping[str, Parameter]) -> str:
    """The sentence of `code`. KeyError for a code that is none, or for a parameter that is missing."""
    return MESSAGES[code].format_map(params)


def parameters(template: str) -> frozenset[str]:
    """The placeholders of a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)
