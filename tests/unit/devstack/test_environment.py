"""What of a shell reaches the stack."""

from pathlib import Path

import pytest

from devstack import environment, service_settings
from devstack.command import Command

FOREIGN = {
    "HOST": "x86_64-conda-linux-gnu",
    "NAME": "DESKTOP-1",
    "PORT": "1",
    "LOG_LEVEL": "trace",
    "APP_ENV": "local",
    "REDIS_URL": "redis://elsewhere",
    "PGSSLMODE": "require",
    "PGHOST": "elsewhere",
    "PGPASSWORD": "x",
    "PYTHONPATH": "/elsewhere",
    "PYTHONHOME": "/elsewhere",
    "http_proxy": "http://elsewhere:1",
    "HTTPS_PROXY": "http://elsewhere:1",
    "LD_PRELOAD": "/elsewhere.so",
    "LD_LIBRARY_PATH": "/elsewhere",
    "LC_ALL": "xx_XX",
    "LANG": "xx_XX",
    "TMPDIR": "/no/such/directory",
    "CDPATH": "/",
}


def test_no_child_gets_what_is_meant_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DEVSTACK_DIR", "/somewhere")
    child = Command(("true",), env={"HOST": "127.0.0.1"}).environment()
    assert child["HOST"] == "127.0.0.1"
    assert child["DEVSTACK_DIR"] == "/somewhere"
    assert child["LC_ALL"] == "C.UTF-8"
    assert {name for name in FOREIGN if name in child} == {"HOST", "LC_ALL", "LANG"}
    assert "PATH" in child


def test_a_generic_name_is_taken_from_dotenv_and_under_our_prefix() -> None:
    shell = FOREIGN | {"AUTH_PORT": "4001", "DEVSTACK_LOG_LEVEL": "DEBUG"}
    given = environment.given({"HOST": "0.0.0.0", "AUTH_PORT": "4002"}, shell)
    assert (given["HOST"], given["LOG_LEVEL"], given["AUTH_PORT"]) == ("0.0.0.0", "DEBUG", "4001")
    assert "APP_ENV" not in given


def test_a_process_gets_the_settings_that_it_reads() -> None:
    given = {"ARGON2_M": "1", "MEMBER_POOL_MAX": "3", "MAIL_URL_FILE": "/run/mail", "PGHOST": "elsewhere"}
    assert set(environment.chosen(given, service_settings.names("auth"))) == {"ARGON2_M", "MAIL_URL_FILE"}
    assert set(environment.chosen(given, service_settings.names("member"))) == {"MEMBER_POOL_MAX"}
    assert "FRONTEND_TRUSTED_PROXIES" in service_settings.names("frontend_proxy")


def test_a_home_that_this_account_may_not_enter_is_left_out(tmp_path: Path) -> None:
    """As after `su` without `-`: PostgreSQL's driver would look there for a key, and no service would start."""
    assert environment.for_children({"HOME": str(tmp_path)})["HOME"] == str(tmp_path)
    assert "HOME" not in environment.for_children({"HOME": str(tmp_path / "of root")})
