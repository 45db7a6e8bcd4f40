import base64
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from services.chassis import settings
from services.chassis.settings import Env, ServiceSettings, SettingsError

KEY = base64.b64encode(b"\x8f" * 32).decode()


class Settings(ServiceSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="The port."), Env("X_PORT")] = 80
    store_url: Annotated[str, Meta(pattern="^postgres", description="The store."), Env(secret=True)]
    key: Annotated[str, Env(secret=True)] = KEY
    demo: bool = False


def environment(**changes: str) -> dict[str, str]:
    whole = {
        "TOKEN_ISSUER": "https://auth",
        "TOKEN_AUDIENCE": "gatehouse",
        "STORE_URL": "postgresql://user:development@localhost/x",
    }
    return {name: value for name, value in {**whole, **changes}.items() if value != "absent"}


def test_values_come_from_the_environment_as_their_types() -> None:
    read = settings.read(Settings, environment(X_PORT="8080", DEMO="true"))
    assert (read.port, read.demo, read.app_env) == (8080, True, "development")


def test_everything_missing_or_malformed_is_named_at_once_without_its_value() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.read(
            Settings, environment(TOKEN_ISSUER="absent", X_PORT="99999", STORE_URL="mysql://u:s3cret@h/x")
        )
    message = str(caught.value)
    assert "TOKEN_ISSUER is not set" in message
    assert "X_PORT is not valid" in message
    assert "STORE_URL is not valid" in message
    assert "s3cret" not in message
    assert "TOKEN_AUDIENCE" not in message


def test_an_empty_variable_counts_as_not_set() -> None:
    with pytest.raises(SettingsError, match="TOKEN_ISSUER is not set"):
        settings.read(Settings, environment(TOKEN_ISSUER=""))
    assert settings.read(Settings, environment(X_PORT="")).port == 80


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from-a-file\n")
    read = settings.read(Settings, environment(STORE_URL_FILE=str(tmp_path / "url")))
    assert read.store_url == "postgresql://from-a-file"


def test_a_file_that_cannot_be_read_stops_the_start_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STORE_URL_FILE cannot be read"):
        settings.read(Settings, environment(STORE_URL_FILE=str(tmp_path / "absent")))


@pytest.mark.parametrize(
    "secret",
    [
        {"STORE_URL": "postgresql://user:development-1@db/x"},
        {"KEY": "development-only"},
        {"KEY": base64.b64encode(b"development-key-of-32-bytes-long").decode()},
    ],
)
def test_production_refuses_development_secrets(secret: dict[str, str]) -> None:
    sound = {"STORE_URL": "postgresql://user:8f2c@db/x", "APP_ENV": "production"}
    settings.read(Settings, environment(**sound))
    with pytest.raises(SettingsError, match=f"{next(iter(secret))} holds a development secret"):
        settings.read(Settings, environment(**{**sound, **secret}))


def test_the_documents_are_made_from_the_fields() -> None:
    described = {variable.name: variable for variable in settings.describe(Settings)}
    assert described["X_PORT"].description == "The port."
    assert described["X_PORT"].default == "80"
    assert described["TOKEN_ISSUER"].default is None
    assert described["STORE_URL"].secret
    assert described["APP_ENV"].type == "`development` or `production`"
