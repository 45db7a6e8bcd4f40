"""Security events are evidence: no setting that is meant for noise silences them."""

import logging

import pytest

from services.auth.adapters.audit import LoggedAudit
from services.chassis import metrics


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
def test_an_event_is_logged_whatever_the_log_level(level: str, caplog: pytest.LogCaptureFixture) -> None:
    root = logging.getLogger()
    former = root.level
    root.setLevel(level)
    try:
        LoggedAudit(metrics.new_registry()).record("login", account="a")
    finally:
        root.setLevel(former)
    assert caplog.messages == ["login"]
