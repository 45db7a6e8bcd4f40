from pathlib import Path

import pytest

from common.settings import SettingsError
from frontend_proxy.settings import read

NEEDED = {"AUTH_URL": "http://auth:4000", "GATEWAY_URL": "http://kong:8000"}


def test_two_variables_suffice_in_development() -> None:
    settings = read(NEEDED)
    assert (settings.port, settings.production, settings.trusted_networks) == (3000, False, ())


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match="AUTH_URL is not set; GATEWAY_URL is not set"):
        read({})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FRONTEND_PORT", "http"),
        ("FRONTEND_PORT", "70000"),
        ("FRONTEND_MAX_BODY", "0"),
        ("FRONTEND_UPSTREAM_TIMEOUT", "-1"),
        ("APP_ENV", "staging"),
        ("AUTH_URL", "auth:4000"),
        ("GATEWAY_URL", "http://kong:8000/api"),
        ("PUBLIC_ORIGIN", "https://shop.example/path"),
        ("FRONTEND_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TIME_ZONE", "Mars/Olympus"),
    ],
)
def test_what_is_wrong_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} "):
        read({**NEEDED, variable: value})


@pytest.mark.parametrize("origin", ["", "http://shop.example"])
def test_production_needs_its_https_origin(origin: str) -> None:
    with pytest.raises(SettingsError, match="PUBLIC_ORIGIN must be an https"):
        read({**NEEDED, "APP_ENV": "production", "PUBLIC_ORIGIN": origin})


def test_origins_are_kept_in_their_normal_form() -> None:
    settings = read({**NEEDED, "GATEWAY_URL": "http://KONG:80/", "PUBLIC_ORIGIN": "https://쇼핑.example:443"})
    assert settings.gateway_url == "http://kong"
    assert settings.public_origin == "https://xn--hp4bo76a.example"


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "origin").write_text("https://shop.example\n")
    settings = read({**NEEDED, "PUBLIC_ORIGIN_FILE": str(tmp_path / "origin")})
    assert settings.public_origin == "https://shop.example"
    with pytest.raises(SettingsError, match=r"^PUBLIC_ORIGIN_FILE cannot be read"):
        read({**NEEDED, "PUBLIC_ORIGIN_FILE": str(tmp_path / "none")})
