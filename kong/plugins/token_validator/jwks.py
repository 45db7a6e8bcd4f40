"""Reads a JSON Web Key Set (RFC 7517) into keys that can only verify: pure."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from common import jwk_set

log = logging.getLogger(__name__)

CURVE_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
RSA_ALGORITHMS = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
ALGORITHMS = (*CURVE_ALGORITHMS.values(), *sorted(RSA_ALGORITHMS))
"""All that a configuration may allow: signatures with key pairs. A shared secret would make every verifier
an issuer.
"""

SMALLEST_RSA = 2048


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key, and the one algorithm that it is for."""

    algorithm: str
    key: ECKey | RSAKey


class KeySetError(ValueError):
    """The document is not a key set with a key that can be used."""


def read(document: bytes) -> dict[str, VerificationKey]:
    """The set's verification keys by `kid`. Raises KeySetError.

    Which entries may be such keys at all is one rule for all parts: common/jwk_set.py.
    """
    try:
        entries = jwk_set.candidates(document)
    except ValueError as error:
        raise KeySetError(str(error)) from error
    keys: dict[str, VerificationKey] = {}
    for name, entry in entries.items():
        try:
            keys[name] = _key(entry)
        except (KeySetError, JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("key set: passed over key %.64r: %s", name, error)
    if not keys:
        raise KeySetError("it holds no key that can be used")
    return keys


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
