from __future__ import annotations

import stat
import tempfile
from pathlib import Path

import pytest

from devstack import secret_store, settings
from devstack.errors import SettingsError


def test_an_offset_moves_every_default_port_and_a_named_port_stays() -> None:
    read = settings.read({"DEVSTACK_PORT_OFFSET": "100", "AUTH_PORT": "4444"})
    assert (read.ports["GATEWAY_PORT"], read.ports["POSTGRES_PORT"], read.ports["AUTH_PORT"]) == (
        8100,
        15532,
        4444,
    )


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"AUTH_PORT": "http"}, "AUTH_PORT is 'http': not a whole number"),
        ({"AUTH_PORT": "70000"}, "AUTH_PORT is 70000: a port is between 1 and 65535"),
        ({"DEVSTACK_PORT_OFFSET": "60000"}, "a port is between 1 and 65535"),
        ({"AUTH_PORT": "8000"}, "are both 8000"),
    ],
)
def test_a_wrong_port_is_refused_by_name(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings.read(environment)
    assert reason in str(refused.value)


def test_sockets_have_a_short_path_wherever_the_state_is(tmp_path: Path) -> None:
    deep = tmp_path / ("deep/" * 40)
    read = settings.read({"DEVSTACK_DIR": str(deep)})
    assert len(str(read.plugins / "token-validator.socket")) < 104
    assert read.runtime != settings.read({"DEVSTACK_DIR": str(deep / "er")}).runtime


def test_sockets_have_a_path_that_needs_no_quotes(tmp_path: Path) -> None:
    for name in ("with space", "it's", 'say "x"', "a$b", "상점"):
        read = settings.read({"DEVSTACK_DIR": str(tmp_path / name)})
        assert settings.PLAIN_PATH.fullmatch(str(read.runtime)), name
        assert settings.PLAIN_PATH.fullmatch(str(read.rendered)), name


def test_where_a_stack_is_depends_on_its_directory_and_on_no_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep/" * 20)
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(deep)
    one = settings.locate({"DEVSTACK_DIR": str(deep)})
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert settings.locate({"DEVSTACK_DIR": str(deep)}).control_socket == one.control_socket
    assert settings.locate({"DEVSTACK_DIR": str(tmp_path / "link")}).control_socket == one.control_socket


def test_a_stack_is_found_whatever_else_is_wrong() -> None:
    found = settings.locate({"DEVSTACK_PORT_OFFSET": "many", "AUTH_PORT": "http"})
    assert found.state == settings.ROOT / ".devstack"


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "state" / "secrets.json"
    made = secret_store.load_or_create(file)
    assert secret_store.load_or_create(file) == made
    assert secret_store.load_or_create(tmp_path / "other.json") != made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["{", "{}", '{"postgres_password": 1}'])
def test_a_damaged_file_of_secrets_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"secrets\.json"):
        secret_store.load_or_create(file)
