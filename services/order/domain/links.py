"""The token in a mailed link that opens one order: 128 bits of chance, known to the store by its SHA-256. Pure."""

import hashlib
from base64 import urlsafe_b64encode

BYTES = 16


def token(chance: bytes) -> str:
    """Fit for a URL. `chance`: BYTES that nobody can tell."""
    return urlsafe_b64encode(chance).rstrip(b"=").decode()


def digest(text: str) -> bytes:
    """Of whatever a caller sent as the token."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
