"""Access tokens that must be accepted, and attacks that must be refused: one corpus for every verifier.

Whatever verifies access tokens gets the same tokens, the same JWK set and the same moment, and must come to the
verdict that stands here. A case is named for what is wrong with it, and is otherwise a good token.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.crafting import (
    ES256K,
    ES384,
    ES512,
    P256_ORDER,
    EcSigner,
    RsaSigner,
    b64,
    encoded,
    hmac_signed,
    signing_input,
)

ISSUER = "https://auth.test"
AUDIENCE = "gatehouse"
NOW = 1_800_000_000
SUBJECT = "00000000-0000-4000-8000-000000000001"
SESSION = "00000000-0000-4000-8000-000000000002"
LARGEST = 8192

# The keys are made anew in each run: no verdict may hang on their values.
SIGNER, OTHER_SIGNER, STRANGER = EcSigner(), EcSigner(), EcSigner()
JWKS = json.dumps(
    {
        "keys": [
            SIGNER.jwk(kid="current", use="sig", alg="ES256"),
            OTHER_SIGNER.jwk(kid="next", use="sig", alg="ES256"),
        ]
    }
).encode()

HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": "current"}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": SUBJECT,
    "sid": SESSION,
    "roles": ["admin", "member"],
    "iat": NOW - 10,
    "exp": NOW + 590,
    "jti": "00000000-0000-4000-8000-000000000003",
}


@dataclass(frozen=True)
class Case:
    name: str
    token: str
    accepted: bool = False


def good(**claims: Any) -> str:
    return SIGNER.sign(HEADER, CLAIMS | claims)


def with_header(**members: Any) -> str:
    """Signed by auth's own key, so that nothing but the header can be the reason to refuse it."""
    return SIGNER.sign(HEADER | members, CLAIMS)


def without(name: str) -> str:
    return SIGNER.sign(HEADER, {key: value for key, value in CLAIMS.items() if key != name})


def cases() -> list[Case]:
    return [
        *_accepted(),
        *_algorithms(),
        *_keys(),
        *_headers(),
        *_signatures(),
        *_claims(),
        *_times(),
        *_documents(),
        *_forms(),
    ]


def _accepted() -> Iterator[Case]:
    yield Case("a good token", good(), accepted=True)
    yield Case(
        "signed by another published key", OTHER_SIGNER.sign(HEADER | {"kid": "next"}, CLAIMS), accepted=True
    )
    yield Case("typ in its long form", with_header(typ="application/at+jwt"), accepted=True)
    yield Case("typ in capitals (RFC 7515 §4.1.9)", with_header(typ="AT+JWT"), accepted=True)
    yield Case("one of several audiences", good(aud=["other", AUDIENCE]), accepted=True)
    yield Case("roles empty", good(roles=[]), accepted=True)
    yield Case("claims that nobody knows", good(department="sales", nested={"a": [1]}), accepted=True)
    yield Case("times with fractions", good(iat=NOW - 1.5, exp=NOW + 0.5), accepted=True)
    message = signing_input(HEADER, CLAIMS)
    r, s = SIGNER.numbers(message)
    for name, value in (("low", min(s, P256_ORDER - s)), ("high", max(s, P256_ORDER - s))):
        # RFC 7518 §3.4 sets no rule on s: both are the key's signature.
        yield Case(f"a signature with {name} s", f"{message}.{b64(SIGNER.raw(r, value))}", accepted=True)


def _algorithms() -> Iterator[Case]:
    unsigned = {"typ": "at+jwt", "kid": "current"}
    for alg in ("none", "None", "NONE", "nOnE", ""):
        message = signing_input(unsigned | {"alg": alg}, CLAIMS)
        yield Case(f"alg {alg!r} and no signature", f"{message}.")
        yield Case(f"alg {alg!r} and a signature", f"{message}.{good().split('.')[2]}")
    secrets = {
        "PEM": SIGNER.public_pem(),
        "PEM without its last line feed": SIGNER.public_pem().rstrip(),
        "DER": SIGNER.public_der(),
        "JWK": encoded(SIGNER.jwk(kid="current", use="sig", alg="ES256")),
        "nothing": b"",
    }
    for digest, alg in (("sha256", "HS256"), ("sha384", "HS384"), ("sha512", "HS512")):
        for name, secret in secrets.items():
            yield Case(
                f"{alg} with the public key as {name}",
                hmac_signed(HEADER | {"alg": alg}, CLAIMS, secret, digest),
            )
    rsa = RsaSigner()
    yield Case("RS256", rsa.sign(HEADER | {"alg": "RS256"}, CLAIMS))
    yield Case("PS256", rsa.sign(HEADER | {"alg": "PS256"}, CLAIMS, pss=True))
    for alg, parameters in (("ES384", ES384), ("ES512", ES512), ("ES256K", ES256K)):
        yield Case(f"{alg} by a stranger", EcSigner(*parameters).sign(HEADER | {"alg": alg}, CLAIMS))
        yield Case(f"{alg} claimed for a signature of ES256", with_header(alg=alg))
        yield Case(f"ES256 claimed for a signature of {alg}", EcSigner(*parameters).sign(HEADER, CLAIMS))
    for odd in (
        "EdDSA",
        "Ed25519",
        "es256",
        "ES256 ",
        "RSA-OAEP",
        "dir",
        ["ES256"],
        {"ES256": 1},
        None,
        256,
        True,
    ):
        yield Case(f"alg {odd!r}", with_header(alg=odd))
    yield Case("no alg", SIGNER.sign({"typ": "at+jwt", "kid": "current"}, CLAIMS))


def _keys() -> Iterator[Case]:
    yield Case("a stranger's signature under our kid", STRANGER.sign(HEADER, CLAIMS))
    yield Case("our signature under another key's kid", with_header(kid="next"))
    yield Case("another key's signature under our kid", OTHER_SIGNER.sign(HEADER, CLAIMS))
    for kid in (
        "",
        "unknown",
        "CURRENT",
        " current",
        "current\n",
        "current\x00",
        "../current",
        "' OR 1=1 --",
        "x" * 4096,
    ):
        yield Case(f"kid {kid[:12]!r}", with_header(kid=kid))
    for odd in (None, 1, True, ["current"], {"kid": "current"}):
        yield Case(f"kid {odd!r}", with_header(kid=odd))
    yield Case("no kid", SIGNER.sign({"alg": "ES256", "typ": "at+jwt"}, CLAIMS))


def _headers() -> Iterator[Case]:
    theirs = STRANGER.jwk(kid="current", use="sig", alg="ES256")
    for name, value in (
        ("jwk", theirs),
        ("jku", "https://attacker.example/jwks.json"),
        ("x5u", "https://attacker.example/chain.pem"),
        ("x5c", ["MIIB"]),
    ):
        yield Case(
            f"{name} with the attacker's key, signed by it", STRANGER.sign(HEADER | {name: value}, CLAIMS)
        )
        yield Case(
            f"{name} with the attacker's key and no kid",
            STRANGER.sign({"alg": "ES256", "typ": "at+jwt", name: value}, CLAIMS),
        )
        yield Case(f"{name} in a token of ours", with_header(**{name: value}))
    # RFC 7515 §4 would ignore it; auth sets none, and what none of us sets need not be let through.
    yield Case("a header that nobody knows", with_header(trace="x"))
    for crit in (["exp"], ["b64"], [], "exp", None, ["unknown"]):
        yield Case(f"crit {crit!r}", with_header(crit=crit))
    for b64_ in (False, True):
        yield Case(f"b64 {b64_}", with_header(b64=b64_, crit=["b64"]))
    for typ in ("JWT", "jwt", "at+jwt ", "", "dpop+jwt", "logout+jwt", "id+jwt", None, 1, ["at+jwt"]):
        yield Case(f"typ {typ!r}", with_header(typ=typ))
    yield Case("no typ", SIGNER.sign({"alg": "ES256", "kid": "current"}, CLAIMS))
    twice = {
        "alg none, then ES256": b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"current"}',
        "alg ES256, then none": b'{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"current"}',
        "kid twice": b'{"alg":"ES256","typ":"at+jwt","kid":"next","kid":"current"}',
        "typ twice": b'{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"current"}',
        "crit twice": b'{"alg":"ES256","typ":"at+jwt","kid":"current","crit":null,"crit":["x"]}',
        "alg twice, once escaped": b'{"alg":"ES256","\\u0061lg":"ES256","typ":"at+jwt","kid":"current"}',
    }
    for name, header in twice.items():
        yield Case(name, SIGNER.sign(header, CLAIMS))
    for name, header in {
        "a list": b"[]",
        "a text": b'"ES256"',
        "null": b"null",
        "nothing": b"",
        "no JSON": b"{alg:ES256}",
        "not UTF-8": b'{"alg":"ES256","typ":"at+jwt","kid":"current","x":"\xff"}',
        "followed by more": encoded(HEADER) + b"{}",
        "UTF-16": json.dumps(HEADER).encode("utf-16"),
        "UTF-8 with a mark": b"\xef\xbb\xbf" + encoded(HEADER),
    }.items():
        yield Case(f"header is {name}", SIGNER.sign(header, CLAIMS))


def _signatures() -> Iterator[Case]:
    message = signing_input(HEADER, CLAIMS)
    r, s = SIGNER.numbers(message)
    raw = SIGNER.raw
    spoiled = {
        "none": b"",
        "in DER": SIGNER.der(message),
        "of zeros": bytes(64),
        "r zero": raw(0, s),
        "s zero": raw(r, 0),
        "r the group's order": raw(P256_ORDER, s),
        "s the group's order": raw(r, P256_ORDER),
        "r and s exchanged": raw(s, r),
        "r plus the order": (r + P256_ORDER).to_bytes(33, "big")[-32:] + s.to_bytes(32, "big"),
        "all ones": b"\xff" * 64,
        "one byte short": raw(r, s)[:-1],
        "one byte long": raw(r, s) + b"\x00",
        "a zero in front": b"\x00" + raw(r, s),
        "r alone": raw(r, s)[:32],
        "doubled": raw(r, s) * 2,
        "of another token": base64.urlsafe_b64decode(good(jti="other").split(".")[2] + "=="),
    }
    for name, signature in spoiled.items():
        yield Case(f"signature {name}", f"{message}.{b64(signature)}")
    for position in (0, 31, 32, 63):
        changed = bytearray(raw(r, s))
        changed[position] ^= 1
        yield Case(f"signature with byte {position} changed", f"{message}.{b64(bytes(changed))}")


def _claims() -> Iterator[Case]:
    header, _, signature = good().split(".")
    for name, value in (("sub", SESSION), ("roles", ["owner"]), ("exp", NOW + 10**6), ("sid", SUBJECT)):
        yield Case(
            f"{name} changed after signing", f"{header}.{b64(encoded(CLAIMS | {name: value}))}.{signature}"
        )
    yield Case(
        "another header under the signature", f"{b64(encoded(HEADER | {'x': 1}))}.{good().split('.', 1)[1]}"
    )
    for name in CLAIMS:
        yield Case(f"no {name}", without(name))
        yield Case(f"{name} null", good(**{name: None}))
        yield Case(f"{name} an object", good(**{name: {}}))
        yield Case(f"{name} true", good(**{name: True}))
    for issuer in (
        "https://auth.test/",
        "https://AUTH.test",
        "https://auth.test.attacker.example",
        "",
        [ISSUER],
    ):
        yield Case(f"iss {issuer!r}", good(iss=issuer))
    for audience in (
        "other",
        "",
        "gatehouse ",
        "gatehouse,other",
        [],
        ["other"],
        ["gatehouse", 1],
        [["gatehouse"]],
    ):
        yield Case(f"aud {audience!r}", good(aud=audience))
    for id_ in (
        "",
        "admin",
        1,
        0.5,
        [SUBJECT],
        SUBJECT + " ",
        SUBJECT.replace("-", ""),
        f"{{{SUBJECT}}}",
        f"urn:uuid:{SUBJECT}",
        SUBJECT[:-1],
        SUBJECT + "\r\nX-Admin: 1",
    ):
        yield Case(f"sub {id_!r}", good(sub=id_))
        yield Case(f"sid {id_!r}", good(sid=id_))
    for roles in (
        "admin",
        ["admin", 1],
        [None],
        [["admin"]],
        {"admin": True},
        [""],
        ["admin,owner"],
        ["admin\r\nX: 1"],
        1,
    ):
        yield Case(f"roles {roles!r}", good(roles=roles))
    no_texts: list[Any] = ["", 1, []]
    for jti in no_texts:
        yield Case(f"jti {jti!r}", good(jti=jti))


def _times() -> Iterator[Case]:
    for name, accepted, claims in (
        ("expires in the next moment", True, {"exp": NOW + 1}),
        ("expires now", False, {"exp": NOW}),
        ("expired a moment ago", False, {"exp": NOW - 1}),
        ("expired long ago", False, {"iat": 0, "exp": 1}),
        ("issued now", True, {"iat": NOW}),
        ("issued far ahead", False, {"iat": NOW + 300, "exp": NOW + 900}),
        ("good from now", True, {"nbf": NOW}),
        ("good from long ago", True, {"nbf": 0}),
        ("good from far ahead", False, {"nbf": NOW + 300}),
    ):
        yield Case(name, good(**claims), accepted=accepted)
    for name in ("iat", "exp", "nbf"):
        for value in (str(NOW + 100), -1, "", [NOW + 100]):
            yield Case(f"{name} {value!r}", good(**{name: value}))
    yield Case("nbf null", good(nbf=None))
    for spelled in (b"1e400", b"-1e400", b"NaN", b"Infinity", b"0x7fffffff", b"18000000000e"):
        payload = encoded(CLAIMS).replace(b'"exp":1800000590', b'"exp":' + spelled)
        yield Case(f"exp spelled {spelled.decode()}", SIGNER.sign(HEADER, payload))


def _documents() -> Iterator[Case]:
    whole = encoded(CLAIMS)
    for name in ("sub", "exp", "roles", "iss", "aud", "sid"):
        value = encoded(CLAIMS[name])
        yield Case(
            f"{name} twice", SIGNER.sign(HEADER, whole[:-1] + b',"' + name.encode() + b'":' + value + b"}")
        )
    yield Case(
        "sub twice, once escaped",
        SIGNER.sign(HEADER, whole[:-1] + b',"\\u0073ub":"' + SUBJECT.encode() + b'"}'),
    )
    for name, payload in {
        "a list": b"[]",
        "a text": b'"claims"',
        "null": b"null",
        "nothing": b"",
        "no JSON": b"{iss:1}",
        "not UTF-8": whole[:-1] + b',"x":"\xff"}',
        "followed by more": whole + b"{}",
        "two documents": whole + b"\n" + whole,
        "cut short": whole[:-1],
        "with a comment": whole[:-1] + b"/* */}",
        "with a comma too many": whole[:-1] + b",}",
        "in UTF-16": json.dumps(CLAIMS).encode("utf-16"),
        "with a byte order mark": b"\xef\xbb\xbf" + whole,
    }.items():
        yield Case(f"payload {name}", SIGNER.sign(HEADER, payload))
    yield Case("payload too large", good(padding="x" * LARGEST))
    yield Case("header too large", with_header(padding="x" * LARGEST))
    for depth in (500, 2500):
        nested = b"[" * depth + b"]" * depth
        yield Case(
            f"{depth} lists deep, unsigned", f"{b64(encoded(HEADER))}.{b64(nested)}.{good().split('.')[2]}"
        )
    yield Case("a header 2500 lists deep", f"{b64(b'[' * 2500 + b']' * 2500)}.{good().split('.', 1)[1]}")


def _forms() -> Iterator[Case]:
    token = good()
    header, payload, signature = token.split(".")
    for name, form in {
        "nothing": "",
        "a dot": ".",
        "two dots": "..",
        "three dots": "...",
        "one part": header,
        "two parts": f"{header}.{payload}",
        "four parts": f"{token}.{signature}",
        "five parts, as if encrypted": f"{header}.{payload}.{signature}.{signature}.{signature}",
        "no header": f".{payload}.{signature}",
        "no payload": f"{header}..{signature}",
        "no signature": f"{header}.{payload}.",
        "a dot behind": f"{token}.",
        "a dot in front": f".{token}",
        "padding behind": f"{token}==",
        "padding in the header": f"{header}=.{payload}.{signature}",
        "a blank behind": f"{token} ",
        "a blank in front": f" {token}",
        "a blank inside": f"{header}. {payload}.{signature}",
        "a line feed behind": f"{token}\n",
        "a line feed inside": f"{header}.{payload[:10]}\n{payload[10:]}.{signature}",
        "a tab behind": f"{token}\t",
        "a zero byte behind": f"{token}\x00",
        "a comma and another": f"{token},{token}",
        "quotes around": f'"{token}"',
        "brackets around": f"<{token}>",
        "letters beyond ASCII": f"{header}.{payload}.{signature[:-2]}éé",
        "full-width letters": f"{header}.{payload}.{signature[:-1]}\uff21",
        "half of a surrogate pair": f"{header}.{payload}.{signature[:-1]}\ud800",
        "a sign that base64url does not have": f"{header}.{payload}.{signature[:-1]}!",
        "one letter too many": f"{token}A",
        "JSON serialisation": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "general JSON serialisation": json.dumps(
            {"payload": payload, "signatures": [{"protected": header, "signature": signature}]}
        ),
        "megabytes": "A" * 4_000_000,
        "megabytes of dots": "." * 4_000_000,
    }.items():
        yield Case(name, form)
    # The same bytes in base64's other alphabet; the text is chosen so that it has a letter that differs.
    other = next(t for t in (good(jti=f"other {n}") for n in range(1000)) if "-" in t or "_" in t)
    yield Case("base64 in place of base64url", other.replace("-", "+").replace("_", "/"))
    # The last letter of 64 bytes has four spare bits: sixteen spellings of one signature, one of them right.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    right = alphabet.index(signature[-1])
    for spare in (1, 8):
        yield Case(f"signature spelled with spare bits {spare}", f"{token[:-1]}{alphabet[right ^ spare]}")
