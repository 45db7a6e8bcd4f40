"""One rule for whoever verifies tokens: which entries of a JSON Web Key Set (RFC 7517) may be verification keys. Pure.

An entry that is none is passed over, as §5 asks. Two entries of one `kid` are both passed over: nobody could tell which
of them a token means, and taking the last one would let whoever can add an entry replace a key.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

MOST_KEYS = 64


class _Document(msgspec.Struct):
    keys: list[dict[str, Any]]


def candidates(document: bytes) -> dict[str, Mapping[str, Any]]:
    """The entries by `kid` that are public and for signatures. Raises ValueError for what is no key set."""
    try:
        entries = msgspec.json.decode(document, type=_Document).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ValueError("not a JSON Web Key Set") from fault
    names = Counter(name for name in (entry.get("kid") for entry in entries) if isinstance(name, str))
    return {
        entry["kid"]: entry
        for entry in entries[:MOST_KEYS]
        if isinstance(entry.get("kid"), str)
        and entry["kid"]
        and names[entry["kid"]] == 1
        and _verifies(entry)
    }


def _verifies(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in entry
        and "k" not in entry
    )
