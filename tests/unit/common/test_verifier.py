"""Good tokens pass; forged, stretched and broken ones do not, each for its own reason."""

import hmac
import json
import math
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from common.access_tokens.jwk_set import VerificationKey
from common.access_tokens.verifier import Expected, Identity, Rejected, UnknownKey, verify
from tests.unit.common.issuing import (
    AUDIENCE,
    ISSUER,
    NOW,
    SESSION,
    SIGNER,
    STRANGER,
    SUBJECT,
    claims,
    decoded,
    encoded,
    header,
    signed,
    token,
)

EXPECTED = Expected(
    issuer=ISSUER, audience=AUDIENCE, algorithms=frozenset(("ES256",)), leeway=5, max_size=8192
)
KEYS = {"k1": VerificationKey("ES256", SIGNER)}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def judge(text: str, now: float = NOW, expected: Expected = EXPECTED) -> Identity | Rejected | UnknownKey:
    return verify(text, KEYS, expected, now)


def reason(text: str, now: float = NOW) -> str:
    verdict = judge(text, now)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


def test_a_good_token_tells_who_is_asking() -> None:
    verdict = judge(token(roles=["member", "admin"], scope="orders:read orders:write"))
    assert verdict == Identity(
        SUBJECT, SESSION, ("member", "admin"), frozenset(("orders:read", "orders:write")), NOW + 540
    )


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT"])
def test_the_type_is_compared_without_case_and_with_its_long_name(kind: str) -> None:
    assert isinstance(judge(signed(header(typ=kind), claims())), Identity)


def test_the_audience_may_be_one_of_a_list() -> None:
    assert isinstance(judge(token(aud=["other", AUDIENCE])), Identity)


def test_a_token_without_roles_is_good_if_it_says_so() -> None:
    verdict = judge(token(roles=[]))
    assert isinstance(verdict, Identity)
    assert verdict.roles == ()


def test_a_key_that_is_not_known_is_told_apart() -> None:
    assert judge(signed(header(kid="k2"), claims())) == UnknownKey("k2")


def hs256_with_the_public_key() -> str:
    message = f"{encoded(header(alg='HS256'))}.{encoded(claims())}"
    digest = hmac.digest(SIGNER.as_pem(private=False), message.encode(), "sha256")
    return f"{message}.{encoded(digest)}"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS256", "PS256", "ES384"]
)
def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    assert reason(signed(header(alg=algorithm), claims())) == "The access token's algorithm is not accepted."
    assert reason(f"{encoded(header(alg=algorithm))}.{encoded(claims())}.AA").endswith(
        "algorithm is not accepted."
    )


@pytest.mark.parametrize("algorithm", [None, 1, ["ES256"], {"ES256": 1}, True, "es256", "ES256 "])
def test_an_algorithm_of_another_form_is_not_accepted(algorithm: Any) -> None:
    assert reason(signed(header(alg=algorithm), claims())) == "The access token's algorithm is not accepted."


def test_the_public_key_as_a_shared_secret_is_no_key() -> None:
    forged = hs256_with_the_public_key()
    assert reason(forged) == "The access token's algorithm is not accepted."
    relabelled = ".".join((encoded(header()), *forged.split(".")[1:]))
    assert reason(relabelled) == "The access token's signature is wrong."


def test_an_allowed_algorithm_still_has_to_be_that_of_the_key() -> None:
    rsa = RSAKey.generate_key(2048)
    wide = Expected(ISSUER, AUDIENCE, frozenset(("ES256", "RS256")), 5, 8192)
    verdict = verify(signed(header(alg="RS256"), claims(), rsa), KEYS, wide, NOW)
    assert verdict == Rejected("The access token's algorithm is not that of its key.")
    keys = {"k1": VerificationKey("RS256", rsa)}
    assert isinstance(verify(signed(header(alg="RS256"), claims(), rsa), keys, wide, NOW), Identity)


@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None, "jku": "https://evil.example/jwks.json"},
        {"jwk": SIGNER.as_dict(private=False)},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"b64": False},
        {"b64": True},
    ],
)
def test_extensions_and_keys_of_the_senders_choice_are_refused(member: dict[str, Any]) -> None:
    assert reason(signed(header(**member), claims())) == "The access token has a header that is not accepted."


@pytest.mark.parametrize("kind", [None, "JWT", "", "at+jwt2", "id+jwt", 1, ["at+jwt"]])
def test_another_kind_of_token_is_refused(kind: Any) -> None:
    assert reason(signed(header(typ=kind), claims())) == "The token is not an access token."


@pytest.mark.parametrize("key_id", [None, "", 1, ["k1"], "k" * 129])
def test_a_token_must_name_its_key(key_id: Any) -> None:
    assert reason(signed(header(kid=key_id), claims())) == "The access token names no key."


def signature_variants() -> dict[str, bytes]:
    good = decoded(token().split(".")[2])
    r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
    return {
        "empty r and s": b"",
        "one byte short": good[:-1],
        "one byte long": good + b"\0",
        "DER": encode_dss_signature(r, s),
        "zero r and s": bytes(64),
        "zero r": bytes(32) + good[32:],
        "zero s": good[:32] + bytes(32),
        "order as r": P256_ORDER.to_bytes(32, "big") + good[32:],
        "swapped halves": good[32:] + good[:32],
        "another token's": decoded(token(jti="other").split(".")[2]),
        "flipped bit": bytes((good[0] ^ 1,)) + good[1:],
        "s plus the order": good[:32] + ((s + P256_ORDER) % 2**256).to_bytes(32, "big"),
    }


@pytest.mark.parametrize("name", signature_variants())
def test_a_signature_of_another_form_or_message_is_wrong(name: str) -> None:
    head, body, _ = token().split(".")
    assert reason(f"{head}.{body}.{encoded(signature_variants()[name]) or 'AA'}") == (
        "The access token's signature is wrong."
    )


def test_a_strangers_signature_under_a_known_name_is_wrong() -> None:
    assert reason(token(STRANGER)) == "The access token's signature is wrong."


@pytest.mark.parametrize("part", [0, 1])
def test_a_changed_header_or_claim_breaks_the_signature(part: int) -> None:
    parts = token().split(".")
    changed = header(extra=1) if part == 0 else claims(roles=["admin"])
    parts[part] = encoded(changed)
    assert reason(".".join(parts)) == "The access token's signature is wrong."


GOOD = token()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "abc",
        GOOD + ".",
        "." + GOOD,
        GOOD + ".AA",
        GOOD + "=",
        GOOD.replace(".", "=.", 1),
        GOOD.replace(".", "..", 1),
        GOOD + "\n",
        " " + GOOD,
        GOOD + " ",
        GOOD[:20] + " " + GOOD[20:],
        GOOD[:20] + "\n" + GOOD[20:],
        GOOD[:20] + "+" + GOOD[21:],
        GOOD[:20] + "/" + GOOD[21:],
        GOOD[:20] + "\x00" + GOOD[20:],
        GOOD[:20] + "é" + GOOD[20:],
        GOOD[:20] + "\udce9" + GOOD[20:],
        GOOD.split(".")[0] + ".." + GOOD.split(".")[2],
        f"{GOOD},{GOOD}",
        f"{GOOD}, Bearer {GOOD}",
        json.dumps({"protected": GOOD.split(".")[0], "payload": GOOD.split(".")[1], "signature": "AA"}),
        ".".join((GOOD, "AA", "AA")),
    ],
)
def test_anything_but_the_compact_form_is_malformed(text: str) -> None:
    assert reason(text) == "The access token is malformed."


def test_a_segment_has_one_spelling() -> None:
    head, body, signature = GOOD.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    assert decoded(respelt) == decoded(signature)
    assert reason(f"{head}.{body}.{respelt}") == "The access token is malformed."


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"{}x",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"alg":"ES256","typ":"at+jwt","kid":"k1","kid":"k2"}',
        b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k1"}',
        b'{"alg":"ES256","typ":"at+jwt","kid":"k1","x":{"a":1,"a":2}}',
        b"[" * 5000,
    ],
)
def test_a_header_that_is_not_one_plain_object_is_malformed(document: bytes) -> None:
    assert reason(signed(document, claims())) == "The access token is malformed."


def test_what_is_nested_deeply_is_refused() -> None:
    nested = b'{"a":' + b"[" * 2500 + b"]" * 2500 + b"}"
    malformed = "The access token is malformed."
    # Python 3.13 reads it, and misses what should be in it; 3.11 gives up on its depth.
    assert reason(signed(nested, claims())) in (malformed, "The access token's algorithm is not accepted.")
    assert reason(signed(header(), nested)) in (malformed, "The access token's iat is missing or malformed.")


@pytest.mark.parametrize(
    "document",
    [
        b"null",
        b"[]",
        b"{",
        b"\xff",
        json.dumps(claims()).encode()[:-1] + b',"sub":"11111111-1111-4111-8111-111111111111"}',
        json.dumps(claims()).encode()[:-1] + b',"x":{"a":1,"a":2}}',
        json.dumps(claims()).encode() + b"{}",
    ],
)
def test_claims_that_are_not_one_plain_object_are_malformed(document: bytes) -> None:
    assert reason(signed(header(), document)) == "The access token is malformed."


def test_a_token_over_the_limit_is_refused_unread() -> None:
    assert reason("x" * 8193) == "The access token is too large."
    assert reason("x" * 8192) == "The access token is malformed."


@pytest.mark.parametrize(
    "issuer", [None, "", "https://evil.example", ISSUER + "/", ISSUER.upper(), [ISSUER], 1]
)
def test_another_issuer_is_refused(issuer: Any) -> None:
    assert reason(token(iss=issuer)) == "The access token's issuer is not accepted."


@pytest.mark.parametrize(
    "audience", [None, "", "other", [], ["other"], AUDIENCE + "2", {AUDIENCE: 1}, [AUDIENCE, 1], 1]
)
def test_another_audience_is_refused(audience: Any) -> None:
    assert reason(token(aud=audience)) == "The access token is for another audience."


def test_a_token_is_good_until_the_second_that_it_expires_in() -> None:
    assert isinstance(judge(token(exp=NOW + 1), now=NOW + 0.999), Identity)
    assert reason(token(exp=NOW + 1), now=NOW + 1) == "The access token has expired."


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_clock_ahead_is_forgiven_up_to_the_leeway(claim: str) -> None:
    assert isinstance(judge(token(SIGNER, **{claim: NOW + 5})), Identity)
    assert reason(token(SIGNER, **{claim: NOW + 5.01})) == "The access token is not valid yet."


@pytest.mark.parametrize("claim", ["iat", "exp", "nbf"])
@pytest.mark.parametrize("value", ["1795330540", True, -1, math.nan, math.inf, [], {}])
def test_a_time_that_is_no_number_of_seconds_is_refused(claim: str, value: Any) -> None:
    assert reason(token(SIGNER, **{claim: value})) == f"The access token's {claim} is missing or malformed."


@pytest.mark.parametrize("claim", ["iat", "exp"])
def test_a_missing_time_is_refused(claim: str) -> None:
    assert reason(token(SIGNER, **{claim: None})) == f"The access token's {claim} is missing or malformed."


@pytest.mark.parametrize("claim", ["sub", "sid"])
@pytest.mark.parametrize(
    "value", [None, "", 1, "admin", SUBJECT.upper(), f"{{{SUBJECT}}}", SUBJECT + "\n", [SUBJECT]]
)
def test_account_and_session_are_uuids(claim: str, value: Any) -> None:
    assert reason(token(SIGNER, **{claim: value})) == "The access token names no account or session."


@pytest.mark.parametrize(
    "roles",
    [
        None,
        "admin",
        {"admin": 1},
        [1],
        [""],
        ["a,b"],
        ["a b"],
        ["a\r\nX-User-Id: 1"],
        ["é"],
        ["r" * 65],
        [["a"]],
    ],
)
def test_roles_are_a_list_of_names(roles: Any) -> None:
    assert reason(token(roles=roles)) == "The access token's roles are malformed."


@pytest.mark.parametrize("changes", [{"jti": None}, {"jti": ""}, {"jti": 1}, {"scope": ["a"]}, {"scope": 1}])
def test_incomplete_claims_are_refused(changes: dict[str, Any]) -> None:
    assert reason(token(**changes)) == "The access token's claims are not complete."


@given(st.text(max_size=300))
def test_no_text_makes_the_verifier_fail(text: str) -> None:
    assert isinstance(judge(text), Rejected)


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_one_changed_character_never_passes(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    assert changed == GOOD or not isinstance(judge(changed), Identity)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(claims())), JSON)
def test_a_signed_token_with_any_claim_is_judged(name: str, value: Any) -> None:
    verdict = judge(signed(header(), claims() | {name: value}))
    assert isinstance(verdict, Identity | Rejected)
