"""The secret in a mailed link: 256 bits that nobody can tell who has not the key, known to the store by its SHA-256."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from uuid import UUID


def secret(key: bytes, mail: UUID) -> str:
    """Fit for a URL. A mail (a random id) that is sent again has the same link again, not one more in the store."""
    return urlsafe_b64encode(hmac.digest(key, mail.bytes, "sha256")).rstrip(b"=").decode()


def digest(text: str) -> str:
    """Of whatever a caller sent as the secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
