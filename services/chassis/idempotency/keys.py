"""Reads the key that a client sent, by the same rules as the gateway's plugin (docs/contracts.md). Pure.

A structured-field string (draft-ietf-httpapi-idempotency-key-header-07 §2.1) or, as most clients send it, bare text.
"""

from collections.abc import Sequence

from services.chassis.idempotency.refusals import MalformedKey

HEADERS = ("idempotency-key", "x-idempotency-key")
MAX_KEY = 255


def find(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """The request's key, None where it has none. Raises MalformedKey for a malformed, repeated or contradictory one."""
    keys: set[str] = set()
    for name in HEADERS:
        values = [value for header, value in headers if header.decode("latin-1").lower() == name]
        if len(values) > 1:
            raise MalformedKey(f"The header {name} was sent more than once.")
        keys.update(_parse(name, value.decode("latin-1")) for value in values)
    if len(keys) > 1:
        raise MalformedKey(f"The headers {' and '.join(HEADERS)} carry different keys.")
    return keys.pop() if keys else None


def _parse(name: str, value: str) -> str:
    key = value.strip(" \t")
    if key.startswith('"'):
        key = _unquote(name, key)
    if not 1 <= len(key) <= MAX_KEY:
        raise MalformedKey(f"The key in {name} must have 1 to {MAX_KEY} characters.")
    if "," in key or not all("!" <= character <= "~" for character in key):
        raise MalformedKey(f"The key in {name} may hold visible ASCII characters only, and no comma.")
    return key


def _unquote(name: str, quoted: str) -> str:
    """The text of a structured-field string (RFC 9651 §4.2.5); parameters are not part of the key's grammar."""
    text, position = "", 1
    while position < len(quoted):
        character = quoted[position]
        if character == '"' and position == len(quoted) - 1:
            return text
        if character == "\\":
            position += 1
            character = quoted[position] if position < len(quoted) else ""
            if character not in {'"', "\\"} or not character:
                break
        elif character == '"':
            break
        text += character
        position += 1
    raise MalformedKey(f"The quoted key in {name} is malformed.")
