"""What token-validator adds to a request: `python -m bench.token_validator [REQUESTS]`.

Warm: a token that was verified before. Cold: each request brings a new one. Budget, Kong and plugin, warm: 130 µs.

Beside it, in turns in one run: Kong's own jwt (Lua, HS256), an event in which a plugin asks and says nothing, and one
with one question and one statement, the least with which a plugin server can judge a token. Medians of many short
rounds: in some, LuaJIT compiles anew, and a request costs Kong 30 to 40 µs more.
"""

import asyncio
import sys
import time
import uuid
from functools import partial
from statistics import median

from joserfc import jwt

from bench.figures import figure
from bench.gateway_stage import (
    AUDIENCE,
    ISSUER,
    SIGNER,
    Cost,
    compared,
    jwt_request,
    request,
    stage,
    verdict,
)

BUDGET = 130
ROUNDS = 15


def token(number: int) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(uuid.UUID(int=1)),
        "sid": str(uuid.UUID(int=2)),
        "roles": ["member"],
        "iat": now,
        "exp": now + 600,
        "jti": str(number),
    }
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "bench"}, claims, SIGNER)


async def main(requests: int) -> None:
    warm = request("/token", f"Authorization: Bearer {token(-1)}")
    cold = [token(number) for number in range(requests)]
    kinds: dict[str, tuple[bytes, str | None]] = {
        "plain": (request("/plain"), None),
        "warm": (warm, "token-validator"),
        "one question, one statement": (request("/light"), "light"),
        "empty event": (request("/empty"), "empty"),
        "jwt": (jwt_request(), None),
    }
    async with stage() as gateway:
        if not gateway.real:
            del kinds["jwt"]
        costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
        for turn in range(ROUNDS + 1):
            for kind, (sent, plugin) in kinds.items():
                cost = await gateway.measure(requests, partial(_same, sent), plugin)
                if turn:  # in the first, LuaJIT compiles
                    costs[kind].append(cost)
        first = await gateway.measure(
            requests,
            lambda number: request("/token", f"Authorization: Bearer {cold[number]}"),
            "token-validator",
        )
    plain = _middle(costs["plain"])
    added = {}
    for kind, measured in costs.items():
        middle = _middle(measured)
        added[kind] = middle.total - plain.total
        print(
            f"{kind}: {middle.gateway:.0f} + {middle.plugin:.0f} µs, {added[kind]:.0f} more than without a plugin"
        )
    figure("token-validator, warm", added["warm"], "cpu", budget=BUDGET)
    figure("token-validator, cold", first.total - plain.total, "cpu")
    figure(
        "token-validator against one question and one statement",
        added["warm"] / added["one question, one statement"],
        "ratio",
    )
    if "jwt" in added:
        figure("token-validator against Kong's own jwt", added["warm"] / added["jwt"], "ratio", budget=2.0)
    print(verdict("warm", added["warm"], BUDGET))
    print(f"cold adds {first.total - plain.total:.0f} µs of CPU")
    print(compared(added.get("jwt")))


def _middle(costs: list[Cost]) -> Cost:
    return Cost(median(cost.gateway for cost in costs), median(cost.plugin for cost in costs))


def _same(request: bytes, _: int) -> bytes:
    return request


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
