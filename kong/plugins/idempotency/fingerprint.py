"""What makes two requests the same: who asks for which key (scope), and what they ask for (fingerprint)."""

import hashlib
import hmac
from base64 import urlsafe_b64encode


def secret(password: str | None) -> bytes:
    """The key of the fingerprints, from the password that this gateway has for its Redis.

    Bodies have passwords in them. Whoever reads Redis, its file or a backup must not be able to try guesses against a
    bare digest; this password is in none of them.
    """
    return hashlib.sha256(b"idempotency fingerprint\0" + (password or "").encode()).digest()


def fingerprint(
    *,
    method: str,
    path: str,
    query: str,
    content_type: str,
    body: bytes,
    content_coding: str = "",
    upstream_host: str = "",
    cookie: str = "",
    key: bytes = b"",
) -> bytes:
    """HMAC-SHA-256 with `key` over everything that decides the effect of a request; 32 bytes (RFC 2104).

    Each part goes in with its length, so that no two requests are the same when their parts are run together. The same
    bytes in another coding are another body; almost none has one, and without one nothing is added. Nor for a request
    that chose no host for its service, or has no cookie that somebody may be known by: a repeat with another one is
    refused, as it may be somebody else's, or the same caller's with a cookie that the first answer has set.
    """
    digest = hmac.new(key, digestmod="sha256")
    coding = (_bytes(content_coding),) if content_coding.strip().lower() not in {"", "identity"} else ()
    chosen = [
        name + _bytes(value) for name, value in ((b"host:", upstream_host), (b"cookie:", cookie)) if value
    ]
    for part in (_bytes(method), _bytes(path), _bytes(query), _bytes(content_type), body, *coding, *chosen):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def with_credentials(caller: str, credentials: str, key: bytes) -> str:
    """`caller`, told apart from others by its credentials, which may be a password: so their digest is keyed, too."""
    if not credentials:
        return caller
    return f"{caller} {hmac.new(key, _bytes(credentials), 'sha256').hexdigest()}"


def storage_key(*, caller: str, service: str, method: str, path: str, key: str) -> bytes:
    """Where Redis keeps the request's record: a digest of caller, service, method, path and key, hash-tagged for a
    cluster.

    `caller` carries its namespace: `u:<account>`, `c:<consumer>` or `a:<address>`, so that an account never meets an
    address.
    """
    digest = hashlib.sha256(
        "\0".join((caller, service, method, path, key)).encode("utf-8", "surrogateescape")
    ).digest()
    return b"idempotency:{" + urlsafe_b64encode(digest).rstrip(b"=") + b"}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
