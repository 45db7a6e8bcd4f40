"""What token-validator adds to a request: `python -m bench.token_validator [REQUESTS]`.

Warm: a token that was verified before. Cold: each request brings a new one. Budget, Kong and plugin, warm: 130 µs.

Beside it, in turns in one run: Kong's own jwt (Lua, HS256), an event in which a plugin asks and says nothing, and one
with one question and one statement, the least with which a plugin server can judge a token.
"""

import asyncio
import sys
import time
import uuid

from joserfc import jwt

from bench.figures import figure
from bench.gateway_stage import (
    AUDIENCE,
    ISSUER,
    SIGNER,
    compared,
    jwt_request,
    request,
    stage,
    verdict,
)
from bench.turns import in_turns, same

BUDGET = 130


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
    cold = [token(number) for number in range(requests)]
    kinds = {
        "plain": same(request("/plain")),
        "warm": same(request("/token", f"Authorization: Bearer {token(-1)}"), "token-validator"),
        "one question, one statement": same(request("/light"), "light"),
        "empty event": same(request("/empty"), "empty"),
    }
    async with stage() as gateway:
        if gateway.real:
            kinds["jwt"] = same(jwt_request())
        costs = await in_turns(gateway, kinds, requests)
        first = await gateway.measure(
            requests,
            lambda number: request("/token", f"Authorization: Bearer {cold[number]}"),
            "token-validator",
        )
    plain = costs["plain"]
    added = {kind: cost.total - plain.total for kind, cost in costs.items()}
    for kind, cost in costs.items():
        print(
            f"{kind}: {cost.gateway:.0f} + {cost.plugin:.0f} µs, {added[kind]:.0f} more than without a plugin"
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


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
