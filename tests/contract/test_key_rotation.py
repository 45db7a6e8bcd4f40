"""A key rotation refuses no good token: not at the gateway, not at a service, whichever process of auth signed it.

Half an hour in steps of five seconds, on a clock of the test's own. Verifiers have only what they fetched last, up to
300 s ago; that an unknown key would make them look again is left out, so that the schedule alone has to be enough.
"""

import json
from collections.abc import Callable
from uuid import uuid4

from joserfc.jws import extract_compact
from prometheus_client import CollectorRegistry

from common.access_tokens import jwk_set, verifier
from services.auth.adapters import tables
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.keyring import REREAD_EVERY, Keyring
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.application.rotation import Rotation
from services.auth.commands import MIGRATIONS, USUAL_LEAD
from services.auth.domain.access_tokens import claims
from services.chassis.authentication import expected
from services.chassis.migrations import migrate

ISSUER, AUDIENCE = "https://auth.test", "tests"
START, LIFETIME, KEPT = 1_800_000_000, 600, 300
EXPECTED = expected(ISSUER, AUDIENCE)


async def test_no_good_token_is_refused_during_a_rotation(new_postgres_database: Callable[[], str]) -> None:
    now = [float(START)]
    database = tables.bound(new_postgres_database())
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        keys = PostgresKeys(database, b"s" * 32)
        await keys.ensure(START)
        processes = [Keyring(keys, outlives=LIFETIME, clock=lambda: now[0]) for _ in range(2)]
        rotate = Rotation(
            keys=keys,
            audit=LoggedAudit(CollectorRegistry()),
            clock=lambda: now[0],
            lead=USUAL_LEAD,
            outlives=LIFETIME,
        )
        issued: list[tuple[float, str]] = []
        signers, document = set(), b""
        for elapsed in range(0, 1800, 5):
            now[0] = START + elapsed
            for number, process in enumerate(processes):
                if (elapsed + 5 * number) % REREAD_EVERY == 0 or elapsed == 0:
                    await process.reread()
            if elapsed == 100:
                await rotate()
            if elapsed % KEPT == 0:
                # The process asked is the one that has just not read the new key yet.
                document = json.dumps({"keys": processes[1].published()}).encode()
            for process in processes:
                token = sign(process, now[0])
                signers.add(extract_compact(token.encode()).headers()["kid"])
                issued.append((now[0], token))
            alive = [token for at, token in issued if at + LIFETIME > now[0]]
            for token in (*alive[:2], *alive[-2:]):
                assert is_accepted(token, document, now[0]), f"refused {elapsed} s after the start"
        assert len(signers) == 2
        assert len(processes[0].published()) == 1


def sign(process: Keyring, now: float) -> str:
    return process.sign(
        claims(
            issuer=ISSUER,
            audience=AUDIENCE,
            account=uuid4(),
            session=uuid4(),
            roles=["member"],
            now=now,
            lifetime=LIFETIME,
            jti=uuid4(),
        )
    )


def is_accepted(token: str, document: bytes, now: float) -> bool:
    """By who has this key set, at the gateway or in a service."""
    return isinstance(verifier.verify(token, jwk_set.read(document), EXPECTED, now), verifier.Identity)
