"""One rule for the gateway's plugin and the services: what a client's idempotency key is. Pure.

The header is a structured-field item whose value is a string (draft-ietf-httpapi-idempotency-key-header-07 §2.1):
`"k"`. It may have parameters (RFC 9651 §3.1.2); none is defined for it, so they are read and ignored: `"k";a=1` is the
key `k`. Most clients send bare text, which is the key as it stands.
"""

import re
from collections.abc import Iterable, Sequence

HEADERS = ("idempotency-key", "x-idempotency-key")
LONGEST = 255

_STRING = r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"'
_BARE_ITEM = "|".join(
    (
        r"-?[0-9]{1,12}\.[0-9]{1,3}",
        r"-?[0-9]{1,15}",
        _STRING,
        r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*",
        r":[A-Za-z0-9+/=]*:",
        r"\?[01]",
        r"@-?[0-9]{1,15}",
        r'%"[\x20-\x21\x23-\x7e]*"',
    )
)
_ITEM = re.compile(rf"({_STRING})(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:{_BARE_ITEM}))?)*", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")


class MalformedKey(ValueError):  # noqa: N818 - an answer to who sent it, not a fault
    """The client sent a key that cannot be used; the message tells it why."""


def find(headers: Iterable[tuple[str, Sequence[str]]]) -> str | None:
    """The request's key; None where no header has a line. `headers`: each header that may carry it, with its lines.

    Raises MalformedKey for a malformed or repeated key, and where two headers carry different ones.
    """
    headers = [(name, lines) for name, lines in headers if lines]
    keys = set()
    for name, lines in headers:
        if len(lines) > 1:
            raise MalformedKey(f"The header {name} was sent more than once.")
        keys.add(parse(name, lines[0]))
    if len(keys) > 1:
        raise MalformedKey(f"The headers {' and '.join(name for name, _ in headers)} carry different keys.")
    return keys.pop() if keys else None


def parse(name: str, value: str) -> str:
    """The key in `value` of the header `name`. Raises MalformedKey."""
    key = value.strip(" \t")
    if key.startswith('"'):
        item = _ITEM.fullmatch(key)
        if item is None:
            raise MalformedKey(f"The quoted key in {name} is no structured-field string (RFC 9651).")
        key = _ESCAPED.sub(r"\1", item[1][1:-1])
    if not key:
        raise MalformedKey(f"The header {name} is empty.")
    if len(key) > LONGEST:
        raise MalformedKey(f"The key in {name} is longer than {LONGEST} characters.")
    if "," in key:
        raise MalformedKey(f"The key in {name} holds a comma: send one key.")
    if not all("!" <= character <= "~" for character in key):
        raise MalformedKey(f"The key in {name} holds characters other than visible ASCII.")
    return key
