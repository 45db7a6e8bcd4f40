"""What the journeys' search for secrets notes, and what it finds."""

import httpx
import pytest

from tests.e2e.secrets_used import SecretsUsed, noted

TOKEN = "tok-0123456789abcdef"
JWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6.eyJzdWIiOiIxMjM0NTY3ODkwIiwi.c2lnbmF0dXJlLW9mLWEtdG9rZW4"


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200,
        json={"refresh_token": "refresh-0123456789"},
        headers={"Set-Cookie": "session=cookie-0123456789; Path=/"},
    )


@pytest.fixture
def used() -> SecretsUsed:
    with (
        noted(["stripe-key-of-the-stack"]) as found,
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://shop") as client,
    ):
        client.post(
            "/login?token=query-0123456789",
            json={"email": "kim@example.com", "address": [{"password": "password-0123456789"}]},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        client.post("/pay", data={"card": "4242424242424242"})
    return found


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        JWT,
        "stripe-key-of-the-stack",
        "refresh-0123456789",
        "cookie-0123456789",
        "query-0123456789",
        "password-0123456789",
        "4242424242424242",
    ],
)
def test_a_secret_is_found(used: SecretsUsed, secret: str) -> None:
    assert used.found_in(f"a line with {secret} in it".encode(), personal=False) == {f"{secret[:12]}…"}


def test_all_are_found_in_whatever_bytes(used: SecretsUsed) -> None:
    text = b"\xff\x00" + TOKEN.encode() + b"\n\nrefresh-0123456789cookie-0123456789"
    assert used.found_in(text, personal=False) == {
        f"{each[:12]}…" for each in (TOKEN, "refresh-0123456789", "cookie-0123456789")
    }
    assert not used.found_in(b"", personal=True)


def test_one_of_several_lines_is_found_whole() -> None:
    used = SecretsUsed()
    used.secret.add("-----BEGIN\nabcdefghijkl")
    assert used.found_in(b"key: -----BEGIN\nabcdefghijkl", personal=False)
    assert not used.found_in(b"-----BEGIN abcdefghijkl", personal=False)


def test_an_address_is_found_where_it_may_not_be(used: SecretsUsed) -> None:
    assert used.found_in(b"to kim@example.com", personal=True)
    assert not used.found_in(b"to kim@example.com", personal=False)
    assert not used.found_in(b"POST /login 200", personal=True)
