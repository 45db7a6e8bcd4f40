"""A Redis address that makes no sense stops the plugin's start and names the field."""

from pathlib import Path

import pytest

from common import redis_address
from kong.plugins import redis_url
from kong.plugins.runtime.errors import ConfigError
from tests.nasty_passwords import PASSWORDS


def test_an_address_that_makes_no_sense_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:hunter2@host:port/0")
    with pytest.raises(ConfigError, match="redis_url") as refusal:
        redis_url.find(None, "IDEMPOTENCY_REDIS_PASSWORD")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("password", PASSWORDS)
def test_the_password_comes_apart_from_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://idempotency@redis:6379/0")
    monkeypatch.setenv("IDEMPOTENCY_REDIS_PASSWORD", password)
    assert _user_and_password() == ("idempotency", password)
    file = tmp_path / "secret"
    file.write_text(password + "\n")
    monkeypatch.delenv("IDEMPOTENCY_REDIS_PASSWORD")
    monkeypatch.setenv("IDEMPOTENCY_REDIS_PASSWORD_FILE", str(file))
    assert _user_and_password() == ("idempotency", password)


def test_the_password_of_the_process_goes_to_no_other_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDEMPOTENCY_REDIS_PASSWORD", "hunter2")
    assert redis_url.find("redis://elsewhere", "IDEMPOTENCY_REDIS_PASSWORD") == "redis://elsewhere"


def test_a_secret_that_cannot_be_read_is_no_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL_FILE", "/no/such/file")
    with pytest.raises(ConfigError, match="cannot be read"):
        redis_url.find(None, "IDEMPOTENCY_REDIS_PASSWORD")


def _user_and_password() -> tuple[str | None, str | None]:
    address = redis_address.parse(redis_url.find(None, "IDEMPOTENCY_REDIS_PASSWORD"))
    return address.user, address.password
