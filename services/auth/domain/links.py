"""The secret in a mailed link: 256 random bits, known to the store by its SHA-256 alone."""

import hashlib
from base64 import urlsafe_b64encode


def secret(random: bytes) -> str:
    """Fit for a URL."""
    return urlsafe_b64encode(random).rstrip(b"=").decode()


def digest(text: str) -> str:
    """Of whatever a caller sent as the secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
