"""Reads the idempotency key from the request's headers.

The key is a structured-field string by draft-ietf-httpapi-idempotency-key-header-07 §2.1; bare values, which
most clients send, mean the same.
"""

from collections.abc import Mapping, Sequence

HeaderValue = str | Sequence[str] | None

LONGEST_KEY = 255


class MalformedKeyError(ValueError):
    """The client sent a key that cannot be used; the message tells it why."""


def find_key(headers: Mapping[str, HeaderValue], names: Sequence[str]) -> str | None:
    """The request's key, or None where no header of `names` (lower case) is there.

    Raises MalformedKeyError.
    """
    found: str | None = None
    for name in names:
        if name not in headers:
            continue
        value = headers[name] or ""  # Kong may hand over an empty value as null
        if not isinstance(value, str):
            raise MalformedKeyError(f"The header {name} was sent more than once.")
        key = _parse(name, value)
        if found is not None and found != key:
            raise MalformedKeyError(f"The headers {' and '.join(names)} carry different keys.")
        found = key
    return found


def _parse(name: str, value: str) -> str:
    key = value.strip(" \t")
    if key.startswith('"'):
        key = _unquote(name, key)
    if not key:
        raise MalformedKeyError(f"The header {name} is empty.")
    if len(key) > LONGEST_KEY:
        raise MalformedKeyError(f"The key in {name} is longer than {LONGEST_KEY} characters.")
    if "," in key:
        raise MalformedKeyError(f"The key in {name} holds a comma: send one key.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise MalformedKeyError(f"The key in {name} holds characters other than visible ASCII.")
    return key


def _unquote(name: str, value: str) -> str:
    """The text of a structured-field string (RFC 9651 §4.2.5), without parameters."""
    characters = iter(value[1:])
    text: list[str] = []
    for character in characters:
        if character == '"':
            if next(characters, None) is not None:
                raise MalformedKeyError(f"The quoted key in {name} is followed by something else.")
            return "".join(text)
        if character == "\\":
            escaped = next(characters, "")
            if escaped not in ('"', "\\"):
                raise MalformedKeyError(f"The quoted key in {name} holds an unknown escape.")
            text.append(escaped)
        else:
            text.append(character)
    raise MalformedKeyError(f"The quoted key in {name} has no closing quote.")
