"""A Redis address that makes no sense stops the plugin's start and names the field."""

import pytest

from kong.plugins.config import with_redis_url
from kong.plugins.runtime.errors import ConfigError


def test_an_address_that_makes_no_sense_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:hunter2@host:port/0")
    with pytest.raises(ConfigError, match="redis_url") as refusal:
        with_redis_url({})
    assert "hunter2" not in str(refusal.value)
