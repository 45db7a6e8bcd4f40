"""auth's client: its address by the rule of all parts, and the name that it gives itself."""

import logging
from typing import Any

import pytest
from litestar import Request
from prometheus_client import CollectorRegistry

from common.client_address import networks
from services.auth.web.client import ClientReader


def request(*headers: tuple[str, bytes]) -> Request[Any, Any, Any]:
    raw = [(name.encode(), value) for name, value in headers]
    scope: Any = {"type": "http", "headers": raw, "client": ("10.0.0.2", 4711)}
    return Request(scope)


def test_what_a_trusted_proxy_wrote_unreadably_is_logged_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = CollectorRegistry()
    reader = ClientReader(networks("10.0.0.0/8"), registry)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert reader(request(("x-forwarded-for", b"unknown"))).address == "10.0.0.2"
    assert [record.__dict__["written"] for record in caplog.records] == ["unknown"]
    assert registry.get_sample_value("auth_unreadable_forwarded_for_total") == 3


def test_all_lines_of_the_header_are_read() -> None:
    reader = ClientReader(networks("10.0.0.0/8"), CollectorRegistry())
    sent = request(("x-forwarded-for", b"6.6.6.6"), ("x-forwarded-for", b"203.0.113.7:50123"))
    assert reader(sent).address == "203.0.113.7"


def test_a_device_is_shown_by_the_name_that_it_sent() -> None:
    reader = ClientReader((), CollectorRegistry())
    assert reader(request(("user-agent", "쇼핑앱/1.0".encode()))).device == "쇼핑앱/1.0"


def test_mails_are_in_the_language_that_the_client_asks_for() -> None:
    reader = ClientReader((), CollectorRegistry())
    assert reader(request(("accept-language", b"ko-KR, en;q=0.8"))).language == "ko"
    assert reader(request()).language == "en"
