"""Makes access tokens, good and forged, for the token-validator's tests."""

import base64
import json
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER, AUDIENCE = "https://auth.example", "gatehouse"
NOW = 1_795_330_000.0
SUBJECT = "0b6f8f5e-3f43-4b1e-9d3e-2f4a4f0f6a01"
SESSION = "7d5f1c9a-0c0e-4d0f-8f4c-51d3a6a0b702"

SIGNER = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
STRANGER = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)

Key = ECKey | RSAKey


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; a change to None leaves one out."""
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "sid": SESSION,
        "roles": ["member"],
        "iat": NOW - 60,
        "exp": NOW + 540,
        "jti": "j1",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def header(**changes: Any) -> dict[str, Any]:
    """The header of a good token; a change to None leaves one out."""
    made = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"} | changes
    return {name: value for name, value in made.items() if value is not None}


def encoded(value: bytes | dict[str, Any]) -> str:
    """A segment of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def signed(head: bytes | dict[str, Any], body: bytes | dict[str, Any], key: Key = SIGNER) -> str:
    """A token of exactly these bytes, signed as ES256 (or RS256, by the key) whatever its header says."""
    message = f"{encoded(head)}.{encoded(body)}"
    name = {"EC": "ES256", "RSA": "RS256"}[key.key_type]
    signature = jws.JWSRegistry.algorithms[name].sign(message.encode(), key)
    return f"{message}.{encoded(signature)}"


def token(key: Key = SIGNER, **changes: Any) -> str:
    """A good token but for these changes to its claims."""
    return signed(header(), claims(**changes), key)
