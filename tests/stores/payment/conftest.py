from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.payment.adapters.rounds import FIRST_CHECK
from services.payment.app import build
from services.payment.settings import Settings
from tests.in_process import running, until_ready
from tests.signing import Signer
from tests.stores.payment import world
from tests.stores.payment.world import Peers, Sandbox, Shop


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def peers(signer: Signer) -> AsyncIterator[Peers]:
    async with world.peers(signer) as made:
        yield made


@pytest.fixture
async def sandbox(peers: Peers, tmp_path: Path) -> AsyncIterator[Sandbox]:
    made = Sandbox(tmp_path, peers.url)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def settings(peers: Peers, sandbox: Sandbox, postgres_url: str, revocations_url: str) -> Settings:
    return world.settings_for(peers, sandbox, postgres_url, revocations_url)


@pytest.fixture
def first_check() -> timedelta:
    """After which payment asks about a payment by itself. A test that waits for it has it sooner."""
    return FIRST_CHECK


@pytest.fixture
async def shop(
    settings: Settings, first_check: timedelta, peers: Peers, sandbox: Sandbox, signer: Signer
) -> AsyncIterator[Shop]:
    app = build(settings, settles_within=timedelta(0), first_check=first_check)
    async with running(app) as client:
        opened = Shop(client, peers, sandbox, signer)
        await until_ready(client, "/api/payments", opened.admin())
        peers.payment = client
        yield opened
        peers.payment = None
