import asyncio
import base64
import json

import pytest

from common.request_ids import from_headers
from frontend_proxy.access_tokens import LEEWAY, claims, expired
from frontend_proxy.cookies import SentTokens, Tokens
from frontend_proxy.edge.peers import Peer
from frontend_proxy.problems import Problem
from frontend_proxy.request_context import RequestContext
from frontend_proxy.session_manager import Renewals

ARRIVAL = RequestContext(
    from_headers(["request-1"], []), Peer("127.0.0.1", "http"), "a", SentTokens(None, None), {}
)
NOW = 1_800_000_000.0


def token(**payload: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"e30.{encoded}.c2ln"


def nested(start: bytes) -> str:
    return f"a.{base64.urlsafe_b64encode(start + b'[' * 30_000).decode()}.c"


def test_a_token_counts_as_expired_a_little_before_it_is() -> None:
    assert not expired(token(exp=NOW + LEEWAY + 1), NOW)
    assert expired(token(exp=NOW + LEEWAY), NOW)
    assert expired(token(exp=NOW - 1), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.!!!.c",
        "a.e30.c",
        "..",
        token(exp="soon"),
        token(iat=1),
        "a.W10.c",
        "a.é.c",
        nested(b"["),
        nested(b'{"exp":'),
        nested(b'{"more":'),
    ],
)
def test_what_cannot_be_read_is_renewed(text: str) -> None:
    assert claims(text) is None
    assert expired(text, NOW)


async def test_all_who_wait_get_one_renewal() -> None:
    asked: list[str] = []

    async def refresh(token: str, _: RequestContext) -> Tokens | None:
        asked.append(token)
        await asyncio.sleep(0)
        return Tokens("a", f"{token}-next", 60)

    renewals = Renewals(refresh)
    found = await asyncio.gather(*(renewals.renew(name, ARRIVAL) for name in ("x", "x", "y", "x")))
    assert sorted(asked) == ["x", "y"]
    assert [tokens.refresh for tokens in found if tokens] == ["x-next", "x-next", "y-next", "x-next"]


async def test_a_failed_renewal_is_not_remembered() -> None:
    answers = iter([Problem(503, "", "away"), None])

    async def refresh(_: str, __: RequestContext) -> Tokens | None:
        answer = next(answers)
        if isinstance(answer, Problem):
            raise answer
        return answer

    renewals = Renewals(refresh)
    with pytest.raises(Problem):
        await renewals.renew("x", ARRIVAL)
    assert await renewals.renew("x", ARRIVAL) is None
