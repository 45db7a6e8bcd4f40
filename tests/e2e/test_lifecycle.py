"""devstack's own promises: what it starts it ends, whatever happens to it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from devstack.settings import ROOT
from tests.e2e import local_stack
from tests.e2e.local_stack import LocalStack
from tests.processes import until_gone

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


@pytest.fixture
def unstarted(request: pytest.FixtureRequest) -> Iterator[LocalStack]:
    if request.config.getoption("--stack") == "docker":
        pytest.skip("about devstack itself: --stack=docker leaves it out")
    with local_stack.prepared() as prepared:
        yield prepared


def test_up_down_and_up_again_keeps_the_data_and_down_leaves_no_process(unstarted: LocalStack) -> None:
    stack = unstarted
    registration = {"email": "kept@example.com", "password": "correct horse battery", "name": "Kept"}
    assert stack.devstack("status").returncode == 3

    started = stack.devstack("up", "--detach")
    assert started.returncode == 0, started.stderr
    assert stack.gateway_url in started.stdout
    assert stack.devstack("status").returncode == 0
    registered = httpx.post(f"{stack.auth_url}/api/auth/register", json=registration)
    assert registered.status_code == 201

    assert stack.devstack("down").returncode == 0
    assert until_gone(stack.directory) == []
    assert stack.devstack("down").returncode == 0  # twice is harmless

    assert stack.devstack("up", "--detach").returncode == 0
    login = {name: registration[name] for name in ("email", "password")}
    assert httpx.post(f"{stack.auth_url}/api/auth/login", json=login).status_code == 200
    assert stack.devstack("up", "--detach").returncode == 0  # up twice is the same stack

    assert stack.devstack("down").returncode == 0
    assert stack.devstack("up", "--detach", "--fresh").returncode == 0
    assert httpx.post(f"{stack.auth_url}/api/auth/login", json=login).status_code == 401


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux ends children with a supervisor that is killed"
)
def test_no_process_outlives_the_one_in_the_terminal(unstarted: LocalStack, number: signal.Signals) -> None:
    stack = unstarted
    with (stack.directory / "terminal").open("wb") as terminal:
        foreground = subprocess.Popen(
            [sys.executable, "-m", "devstack", "up"],
            cwd=ROOT,
            env=stack.environment,
            stdout=terminal,
            stderr=terminal,
        )
    give_up = time.monotonic() + local_stack.START_DEADLINE
    while stack.devstack("status").returncode != 0:
        assert foreground.poll() is None and time.monotonic() < give_up, (
            stack.directory / "terminal"
        ).read_text()
        time.sleep(0.5)

    foreground.send_signal(number)
    foreground.wait(timeout=60)
    assert until_gone(stack.directory, 30) == []
    if number is not signal.SIGKILL:
        assert foreground.returncode == 0


def test_a_taken_port_is_named_and_nothing_is_left_running(unstarted: LocalStack) -> None:
    stack = unstarted
    with socket.create_server(("127.0.0.1", int(stack.environment["GATEWAY_PORT"]))):
        refused = stack.devstack("up", "--detach")
    assert refused.returncode == 1
    assert f"port {stack.environment['GATEWAY_PORT']}, which kong needs, is taken" in refused.stderr
    assert until_gone(stack.directory) == []


def test_a_part_that_dies_at_its_start_is_quoted_and_nothing_is_left_running(unstarted: LocalStack) -> None:
    stack = unstarted
    stack.environment["AUTH_KEY_ENCRYPTION_KEY"] = "not thirty-two bytes"
    refused = stack.devstack("up", "--detach")
    assert refused.returncode == 1
    assert "auth ended with status" in refused.stderr
    assert "AUTH_KEY_ENCRYPTION_KEY" in refused.stderr
    assert until_gone(stack.directory) == []


def test_a_part_that_dies_later_is_started_again_and_status_says_so(unstarted: LocalStack) -> None:
    stack = unstarted
    assert stack.devstack("up", "--detach").returncode == 0
    assert stack.devstack("kill", "bff").returncode == 0
    give_up = time.monotonic() + 60
    while (status := stack.devstack("status")).returncode != 0 or not _restarted(status.stdout, "bff"):
        assert time.monotonic() < give_up, status.stdout
        time.sleep(0.3)
    assert "bff ended with status" in stack.devstack("logs", "devstack").stdout
    assert httpx.get(f"{stack.bff_url}/health").status_code == 200


def _restarted(table: str, name: str) -> bool:
    """Whether the status table counts a restart of the part."""
    row = next(line.split() for line in table.splitlines() if line.startswith(name))
    return row[3] != "0"


def test_the_state_holds_its_secrets_for_its_owner_only(unstarted: LocalStack) -> None:
    stack = unstarted
    assert stack.devstack("up", "--detach").returncode == 0
    for name in ("secrets.json", "kong.yml", "redis/redis.conf"):
        assert (stack.directory / name).stat().st_mode & 0o077 == 0, name
    assert shutil.which("kong") or "stand-in" in httpx.get(stack.admin_url).text
