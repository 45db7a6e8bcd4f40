"""The stand-in's Admin API: what Kong's nginx lets through (kong/admin-read-only.conf), and where it listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.gateway.app import Listen, listens
from tests import admin_requests
from tests.admin_requests import Asked
from tests.unit.gateway.raw_http import request
from tests.unit.gateway.running import gateway

DOCUMENT = """
_format_version: "3.0"
services:
  - name: bff
    url: http://127.0.0.1:9
    routes: [{name: home, paths: [/api/home]}]
"""


@pytest.mark.parametrize("asked", admin_requests.EVERYTHING, ids=str)
async def test_shows_the_gateway_to_its_own_machine_and_changes_nothing(tmp_path: Path, asked: Asked) -> None:
    async with gateway(tmp_path, DOCUMENT) as running:
        assert await admin_requests.status(running.admin_port, asked) == asked.status
        assert (await request(running.admin_port, "GET", "/services/bff")).status == 200


async def test_a_second_host_is_nobodys(tmp_path: Path) -> None:
    async with gateway(tmp_path, DOCUMENT) as running:
        hosts = [("Host", "localhost"), ("Host", "evil.example")]
        answer = await request(running.admin_port, "GET", "/status", hosts)
        assert answer.status in (400, 421)


def test_listens_on_every_address_that_is_named() -> None:
    named = "127.0.0.1:8001 reuseport backlog=16384, [::1]:8001, gateway-admin:8001"
    assert listens(named) == [Listen("127.0.0.1", 8001), Listen("::1", 8001), Listen("gateway-admin", 8001)]
    assert listens("off") == []
