"""Reads a JSON Web Key Set (RFC 7517) into keys that can only verify: pure.

An entry that is no such key is passed over, as §5 asks. Two entries of one `kid` are both passed over: nobody could
tell which of them a token means, and taking the last one would let whoever can add an entry replace a key.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from common.json_errors import UNREADABLE

log = logging.getLogger(__name__)

CURVE_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
RSA_ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
SMALLEST_RSA = 2048
MOST_KEYS = 64


class _Document(msgspec.Struct):
    keys: list[dict[str, Any]]


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key, and the one algorithm that it is for."""

    algorithm: str
    key: ECKey | RSAKey


class KeySetError(ValueError):
    """The document is not a key set with a key that can be used."""


def read(document: bytes) -> dict[str, VerificationKey]:
    """The set's verification keys by `kid`. Raises KeySetError."""
    keys: dict[str, VerificationKey] = {}
    for name, entry in _candidates(document).items():
        try:
            keys[name] = _key(entry)
        except (KeySetError, JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("key set: passed over key %.64r: %s", name, error)
    if not keys:
        raise KeySetError("it holds no key that can be used")
    return keys


def _candidates(document: bytes) -> dict[str, Mapping[str, Any]]:
    """The entries by `kid` that are public and for signatures. Raises KeySetError for what is no key set."""
    try:
        entries = msgspec.json.decode(document, type=_Document).keys
    except UNREADABLE as fault:
        raise KeySetError("not a JSON Web Key Set") from fault
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


def _key(entry: Mapping[str, Any]) -> VerificationKey:
    match entry.get("kty"):
        case "EC":
            algorithm = CURVE_ALGORITHMS.get(entry.get("crv", ""))
            if algorithm is None or entry.get("alg", algorithm) != algorithm:
                raise KeySetError("its curve and algorithm do not go together")
            return VerificationKey(algorithm, ECKey.import_key(_public(entry, "kty", "crv", "x", "y")))
        case "RSA":
            algorithm = entry.get("alg", "RS256")
            if algorithm not in RSA_ALGORITHMS:
                raise KeySetError("its algorithm is not one of RSA's")
            key = RSAKey.import_key(_public(entry, "kty", "n", "e"))
            if key.public_key.key_size < SMALLEST_RSA:
                raise KeySetError("it is too short")
            return VerificationKey(algorithm, key)
        case other:
            raise KeySetError(f"keys of type {other!r} are not used")


def _public(entry: Mapping[str, Any], *names: str) -> dict[str, str | list[str]]:
    return {name: str(entry[name]) for name in names}
