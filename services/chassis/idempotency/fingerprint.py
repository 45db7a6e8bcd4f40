"""What makes two requests the same one. Pure."""

import hashlib


def fingerprint(method: str, path: str, query: bytes, content_type: str, body: bytes) -> bytes:
    """SHA-256 over the parts, each preceded by its length, so that none can pass for the end of another."""
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), query, content_type.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
