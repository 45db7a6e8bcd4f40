"""Builds tokens byte by byte, good ones and such as no library would make."""

import base64
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(value: Any) -> bytes:
    """Bytes stay as they are, so that JSON can be spelled by hand."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def signing_input(header: Any, payload: Any) -> str:
    return f"{b64(encoded(header))}.{b64(encoded(payload))}"


class EcSigner:
    """An EC key that signs as JWS wants it (RFC 7518 §3.4): r and s, each in the curve's length."""

    def __init__(self, curve: ec.EllipticCurve | None = None, hash_: HashAlgorithm | None = None) -> None:
        self.private = ec.generate_private_key(curve or ec.SECP256R1())
        self.hash = hash_ or SHA256()
        self.length = (self.private.curve.key_size + 7) // 8

    def numbers(self, message: str) -> tuple[int, int]:
        return decode_dss_signature(self.der(message))

    def der(self, message: str) -> bytes:
        return self.private.sign(message.encode(), ec.ECDSA(self.hash))

    def raw(self, r: int, s: int) -> bytes:
        return r.to_bytes(self.length, "big") + s.to_bytes(self.length, "big")

    def sign(self, header: Any, payload: Any) -> str:
        message = signing_input(header, payload)
        return f"{message}.{b64(self.raw(*self.numbers(message)))}"

    def jwk(self, **members: Any) -> dict[str, Any]:
        point = self.private.public_key().public_numbers()
        names = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
        return {
            "kty": "EC",
            "crv": names[self.private.curve.name],
            "x": b64(point.x.to_bytes(self.length, "big")),
            "y": b64(point.y.to_bytes(self.length, "big")),
            **members,
        }

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def public_der(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class RsaSigner:
    def __init__(self) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, header: Any, payload: Any, *, pss: bool = False) -> str:
        message = signing_input(header, payload)
        scheme = padding.PSS(padding.MGF1(SHA256()), 32) if pss else padding.PKCS1v15()
        return f"{message}.{b64(self.private.sign(message.encode(), scheme, SHA256()))}"


def hmac_signed(header: Any, payload: Any, secret: bytes, digest: str = "sha256") -> str:
    message = signing_input(header, payload)
    return f"{message}.{b64(hmac.digest(secret, message.encode(), digest))}"


ES384, ES512 = (ec.SECP384R1(), SHA384()), (ec.SECP521R1(), SHA512())
ES256K = (ec.SECP256K1(), SHA256())
