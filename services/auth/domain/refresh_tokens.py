"""Refresh tokens: opaque to clients, random, self-authenticating to auth.

A token is the session's id (16 bytes), 256 random bits and a 128-bit tag over both, base64url. Only the
SHA-256 of the whole is stored. The tag answers one question about a token that is not the current one: did
auth ever issue it (then it was stolen or replayed, and the session ends), or did somebody invent it around a
session id that they saw (then nothing happens)? Without it either every former token is stored, or anybody
who knows a session id can end that session.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from uuid import UUID

_ID, _RANDOM, _TAG = 16, 32, 16
_TEXT_LENGTH = 86  # 64 bytes in base64url without padding


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`genuine`: the tag is auth's. `digest` is what the store knows the token by."""

    text: str = field(repr=False)
    session: UUID
    genuine: bool

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def issue(session: UUID, random: bytes, key: bytes) -> RefreshToken:
    """A new token of `session`. `random`: 32 bytes from the system's generator; `key`: the tag's."""
    if len(random) != _RANDOM:
        raise ValueError("a refresh token takes 32 random bytes")
    body = session.bytes + random
    text = urlsafe_b64encode(body + _tag(body, key)).rstrip(b"=").decode()
    return RefreshToken(text, session, genuine=True)


def read(text: str, key: bytes) -> RefreshToken | None:
    """What `text` claims to be, or None when it has not even the form of a refresh token."""
    if len(text) != _TEXT_LENGTH or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "==")
    except (Base64Error, ValueError):
        return None
    # base64 that decodes to the same bytes may be spelled several ways; only auth's own spelling counts.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        return None
    body, tag = raw[: _ID + _RANDOM], raw[_ID + _RANDOM :]
    return RefreshToken(text, UUID(bytes=raw[:_ID]), genuine=hmac.compare_digest(tag, _tag(body, key)))


def _tag(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_TAG]
