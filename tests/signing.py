"""Signs access tokens as auth does, for tests of what reads them."""

import time
from typing import Any
from uuid import uuid4

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://auth.test"
AUDIENCE = "gatehouse"


class Signer:
    """One signing key with its `kid`."""

    def __init__(self, kid: str = "test-key") -> None:
        self.key = ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})
        self.kid = kid

    def jwks(self) -> bytes:
        return msgspec.json.encode({"keys": [self.key.as_dict(private=False)]})

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token unless told otherwise; a claim given as None is left out."""
        now = int(time.time())
        whole = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(uuid4()),
            "sid": str(uuid4()),
            "roles": ["member"],
            "iat": now,
            "exp": now + 600,
            "jti": str(uuid4()),
            **claims,
        }
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(
            {"alg": "ES256", "typ": "at+jwt", "kid": self.kid, **(header or {})}, present, self.key, ["ES256"]
        )
