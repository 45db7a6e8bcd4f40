"""Which access tokens are good."""

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey

from services.chassis import tokens
from services.chassis.tokens import Claims, Rejected
from tests.signing import AUDIENCE, ISSUER, Signer

NOW = 1_790_000_000.0


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def token(signer: Signer, **claims: Any) -> str:
    """A good token at NOW unless told otherwise."""
    return signer.token(**{"iat": int(NOW), "exp": int(NOW) + 600, **claims})


def judge(signer: Signer, text: str, now: float = NOW) -> Claims | Rejected:
    return tokens.verify(text, {signer.kid: signer.key}, now, issuer=ISSUER, audience=AUDIENCE)


def raw(signer: Signer, header: bytes, payload: bytes) -> str:
    """A correctly signed token of any bytes."""
    segments = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload))
    private = signer.key.get_op_key("sign")
    r, s = decode_dss_signature(private.sign(segments, ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return (segments + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def header(signer: Signer, **changes: Any) -> bytes:
    return json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": signer.kid, **changes}).encode()


def payload_of(text: str) -> bytes:
    segment = text.split(".")[1]
    return base64.urlsafe_b64decode(segment + "==")


def test_a_good_token_is_accepted_with_its_claims(signer: Signer) -> None:
    outcome = judge(signer, token(signer, roles=["admin", "member"]))
    assert isinstance(outcome, Claims)
    assert outcome.roles == ["admin", "member"]


def test_the_audience_may_be_one_of_several(signer: Signer) -> None:
    assert isinstance(judge(signer, token(signer, aud=["other", AUDIENCE])), Claims)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil"}, Rejected.ISSUER),
        ({"aud": "other"}, Rejected.AUDIENCE),
        ({"aud": ["other"]}, Rejected.AUDIENCE),
        ({"aud": AUDIENCE + "x"}, Rejected.AUDIENCE),
        ({"exp": int(NOW)}, Rejected.EXPIRED),
        ({"iat": int(NOW) + 60}, Rejected.NOT_YET),
        ({"nbf": int(NOW) + 60}, Rejected.NOT_YET),
        *(
            ({claim: None}, Rejected.CLAIMS)
            for claim in ("iss", "aud", "sub", "sid", "roles", "iat", "exp", "jti")
        ),
        ({"exp": "never"}, Rejected.CLAIMS),
        ({"exp": True}, Rejected.CLAIMS),
        ({"exp": 1e300}, Rejected.CLAIMS),
        ({"roles": "admin"}, Rejected.CLAIMS),
        ({"roles": ["admin,member"]}, Rejected.CLAIMS),
        ({"roles": ["admin\n"]}, Rejected.CLAIMS),
        ({"sub": "someone"}, Rejected.CLAIMS),
        ({"sub": "5A1E6B1C-0000-4000-8000-00000000000A"}, Rejected.CLAIMS),
        ({"sid": 7}, Rejected.CLAIMS),
    ],
)
def test_claims_that_are_not_right_are_refused(
    signer: Signer, claims: dict[str, Any], reason: Rejected
) -> None:
    assert judge(signer, token(signer, **claims)) is reason


def test_a_token_expires_at_the_second_that_it_says(signer: Signer) -> None:
    text = token(signer, exp=int(NOW) + 10)
    assert isinstance(judge(signer, text, int(NOW) + 9.9), Claims)
    assert judge(signer, text, int(NOW) + 10) is Rejected.EXPIRED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"alg": "none"}, Rejected.ALGORITHM),
        ({"alg": "HS256"}, Rejected.ALGORITHM),
        ({"alg": "ES384"}, Rejected.ALGORITHM),
        ({"typ": "JWT"}, Rejected.TYPE),
        ({"kid": "unknown"}, Rejected.UNKNOWN_KEY),
        ({"kid": None}, Rejected.UNKNOWN_KEY),
        ({"kid": 7}, Rejected.MALFORMED),
        ({"kid": "k" * 129}, Rejected.MALFORMED),
        ({"crit": ["exp"]}, Rejected.HEADER),
        ({"jku": "https://evil/keys"}, Rejected.HEADER),
        ({"jwk": {"kty": "EC"}}, Rejected.HEADER),
        ({"x5u": "https://evil/cert"}, Rejected.HEADER),
        ({"x5c": ["MII"]}, Rejected.HEADER),
        ({"b64": False}, Rejected.HEADER),
    ],
)
def test_headers_that_are_not_ours_are_refused(
    signer: Signer, changes: dict[str, Any], reason: Rejected
) -> None:
    text = raw(signer, header(signer, **changes), payload_of(token(signer)))
    assert judge(signer, text) is reason


def test_another_keys_signature_is_refused(signer: Signer) -> None:
    forger = Signer(kid=signer.kid)
    assert judge(signer, token(forger)) is Rejected.SIGNATURE


def test_a_changed_claim_breaks_the_signature(signer: Signer) -> None:
    head, _, signature = token(signer).split(".")
    body = base64.urlsafe_b64encode(payload_of(token(signer, roles=["admin"]))).rstrip(b"=").decode()
    assert judge(signer, f"{head}.{body}.{signature}") is Rejected.SIGNATURE


def test_the_public_key_is_no_hmac_secret(signer: Signer) -> None:
    _, body, _ = token(signer).split(".")
    head = base64.urlsafe_b64encode(header(signer, alg="HS256")).rstrip(b"=").decode()
    mac = hmac.digest(signer.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    forged = f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert judge(signer, forged) is Rejected.ALGORITHM


def test_a_member_said_twice_is_refused(signer: Signer) -> None:
    good = payload_of(token(signer))
    twice = good[:-1] + b', "roles": ["admin"]}'
    assert judge(signer, raw(signer, header(signer), twice)) is Rejected.CLAIMS
    head = header(signer)[:-1] + b', "alg": "ES256"}'
    assert judge(signer, raw(signer, head, good)) is Rejected.MALFORMED


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"1e999"])
def test_a_time_that_never_comes_is_refused(signer: Signer, constant: bytes) -> None:
    claims = json.loads(payload_of(token(signer)))
    endless = json.dumps({**claims, "exp": 0}).encode().replace(b'"exp": 0', b'"exp": ' + constant)
    assert judge(signer, raw(signer, header(signer), endless)) is Rejected.CLAIMS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "..",
        "a.b.c",
        "é.b.c",
        "eyJ9.e30.e30",
        "W10.e30.c2ln",
        "bnVsbA.e30.c2ln",
        base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=") + ".e30.c2ln",
    ],
)
def test_what_is_no_token_is_malformed(signer: Signer, text: str) -> None:
    assert judge(signer, text) is Rejected.MALFORMED
    assert tokens.key_id(text) is None


def test_a_second_spelling_of_the_same_bytes_is_refused(signer: Signer) -> None:
    head, body, signature = token(signer).split(".")
    for spelling in (
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature}=",
        f"{head}.{body}.{signature}.x",
    ):
        assert isinstance(judge(signer, spelling), Rejected)


def test_a_token_over_the_limit_is_not_read(signer: Signer) -> None:
    large = token(signer, roles=["r" * 60] * 200)
    assert len(large) > tokens.MAX_TOKEN_BYTES
    assert judge(signer, large) is Rejected.TOO_LARGE
    assert tokens.key_id(large) is None


def test_no_key_is_accepted_that_is_not_for_this_algorithm(signer: Signer) -> None:
    other = ECKey.generate_key("P-384", {"kid": signer.kid})
    outcome = tokens.verify(token(signer), {signer.kid: other}, NOW, issuer=ISSUER, audience=AUDIENCE)
    assert isinstance(outcome, Rejected)
