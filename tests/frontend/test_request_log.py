"""What the front writes of each request, and what it does not."""

import logging

import pytest

from tests.frontend.conftest import Front, Start


async def test_a_probe_that_finds_all_well_is_not_logged(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "frontend_proxy.requests"):
        for path in ("/health", "/health/ready", "/sign-in"):
            async with front.browser.get(front.url + path) as answer:
                assert answer.status == 200
    assert [getattr(record, "path", "") for record in caplog.records] == ["/sign-in"]


async def test_a_probe_that_fails_is_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    front = await start(gateway_url="http://127.0.0.1:1")
    with caplog.at_level(logging.INFO, "frontend_proxy.requests"):
        async with front.browser.get(f"{front.url}/health/ready") as answer:
            assert answer.status == 503
    assert [getattr(record, "status", 0) for record in caplog.records] == [503]
