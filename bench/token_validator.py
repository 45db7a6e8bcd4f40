"""What token-validator adds to a request: `python -m bench.token_validator [REQUESTS]`.

Warm: a token that was verified before. Cold: each request brings a new one. Budget, Kong and plugin, warm: 130 µs.
"""

import asyncio
import sys
import time
import uuid

from joserfc import jwt

from bench.figures import figure
from bench.gateway_stage import AUDIENCE, ISSUER, SIGNER, compared, request, stage, verdict

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
    warm = token(-1)
    cold = [token(number) for number in range(requests)]
    async with stage() as gateway:
        for name in ("warm-up", "measured"):
            plain = await gateway.measure(requests, lambda _: request("/plain"))
            again = await gateway.measure(
                requests, lambda _: request("/token", f"Authorization: Bearer {warm}"), "token-validator"
            )
            print(f"{name}: plain {plain.gateway:.0f}, warm {again.gateway:.0f} + {again.plugin:.0f} µs")
        first = await gateway.measure(
            requests,
            lambda number: request("/token", f"Authorization: Bearer {cold[number]}"),
            "token-validator",
        )
        reference = await gateway.reference(requests, plain)
    figure("token-validator, warm", again.total - plain.total, "cpu", budget=BUDGET)
    figure("token-validator, cold", first.total - plain.total, "cpu")
    if reference is not None:
        figure(
            "token-validator against Kong's own jwt",
            (again.total - plain.total) / reference,
            "ratio",
            budget=2.0,
        )
    print(verdict("warm", again.total - plain.total, BUDGET))
    print(f"cold adds {first.total - plain.total:.0f} µs of CPU")
    print(compared(reference))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
