"""Secrets at rest: AES-256-GCM, under keys that are each derived for one purpose."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class DecryptionFailed(Exception):  # noqa: N818 - named as the outcome that it is
    """The bytes were encrypted with another key, for another purpose, or changed since."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """32 bytes of key for one purpose (HKDF-SHA256, RFC 5869). `secret` is uniformly random: no salt."""
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


def encrypt(key: bytes, plain: bytes, bound_to: bytes = b"") -> bytes:
    """The nonce and the ciphertext. `bound_to` must be given again to decrypt (GCM's associated data)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def decrypt(key: bytes, sealed: bytes, bound_to: bytes = b"") -> bytes:
    """Raises DecryptionFailed."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise DecryptionFailed from error
