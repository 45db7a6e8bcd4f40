"""The Admin API's port shows the gateway and changes nothing, whichever gateway runs here."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from tests import admin_requests
from tests.admin_requests import Asked
from tests.e2e.stack import Stack


@pytest.mark.parametrize("asked", admin_requests.EVERYTHING, ids=str)
async def test_shows_the_gateway_to_its_own_machine_and_changes_nothing(stack: Stack, asked: Asked) -> None:
    port = urlsplit(stack.admin_url).port or 80
    before = httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"]
    assert await admin_requests.status(port, asked) == asked.status
    assert httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"] == before
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 401
