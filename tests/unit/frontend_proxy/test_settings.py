import pytest

from frontend_proxy.settings import SettingsError, is_origin, read

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
        ("GATEWAY_URL", "http://kong:8000/"),
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


@pytest.mark.parametrize("url", ["http://a", "https://a.example:8443", "http://[::1]:3000"])
def test_origins(url: str) -> None:
    assert is_origin(url)


@pytest.mark.parametrize(
    "url", ["", "a", "ftp://a", "http://", "http://u@a", "http://a/", "http://a?b", "http://a:x"]
)
def test_what_is_no_origin(url: str) -> None:
    assert not is_origin(url)
