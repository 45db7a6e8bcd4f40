"""What only containers can show: who reaches whom, what the outside finds, replicas, and a lost volume.

Runs with `--stack=docker` (or where an engine and the images are); the files themselves are held to the same
promises, without an engine, by tests/unit/project/test_compose.py.
"""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.settings import ROOT
from tests.e2e import people
from tests.e2e.docker_stack import DockerStack
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.unit.project.test_compose import MAY_TALK, SEE_EACH_OTHER

pytestmark = pytest.mark.docker

LISTENS = {
    "frontend_proxy": 3000,
    "kong": 8000,
    "auth": 4000,
    "member": 5000,
    "bff": 3001,
    "postgres": 5432,
    "redis": 6379,
}
PYTHON_INSIDE = ("frontend_proxy", "auth", "member", "bff", "token-validator", "idempotency")

# Tried by address, not by name: what the networks let through, not what Docker's DNS tells.
PROBE = """
import json, socket, sys
def open_(address, port):
    try:
        socket.create_connection((address, port), 0.5).close()
        return True
    except OSError:
        return False
targets = json.loads(sys.argv[1])
print(json.dumps([name for name, address, port in targets if open_(address, port)]))
"""
ROOT_IS_READ_ONLY = """
import os
try:
    open("/app/x", "w")
    print("written")
except OSError as fault:
    print(os.getuid(), fault.strerror)
"""


@pytest.fixture
def docker(stack: Stack) -> DockerStack:
    if not isinstance(stack, DockerStack):
        pytest.skip("the stack runs as local processes (--stack=docker runs it in containers)")
    return stack


def compose(docker: DockerStack, *arguments: str) -> str:
    command = [*docker.compose.compose_command_property, *arguments]
    finished = subprocess.run(
        command,
        cwd=docker.compose.context,
        env=docker.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def containers(docker: DockerStack) -> list[dict[str, Any]]:
    ids = compose(docker, "ps", "--quiet").split()
    output = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout
    inspected: list[dict[str, Any]] = json.loads(output)
    return inspected


def service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def test_each_container_reaches_only_whom_it_must(docker: DockerStack) -> None:
    targets = [
        (service(container), network["IPAddress"], LISTENS[service(container)])
        for container in containers(docker)
        for network in container["NetworkSettings"]["Networks"].values()
        if service(container) in LISTENS
    ]
    reached = {
        (name, other)
        for name in PYTHON_INSIDE
        for other in json.loads(
            compose(
                docker,
                "exec",
                "-T",
                name,
                "python",
                "-c",
                PROBE,
                json.dumps([t for t in targets if t[0] != name]),
            )
        )
    }
    # A network carries both directions; beyond that, nothing that compose.yaml has no reason for.
    may_meet = MAY_TALK | SEE_EACH_OTHER
    assert {pair for pair in reached if pair not in may_meet and pair[::-1] not in may_meet} == set()
    assert {
        (name, other) for name, other in MAY_TALK if name in PYTHON_INSIDE and other in LISTENS
    } <= reached
    # What matters most, said once more: nothing but its owner reaches a database.
    assert {name for name, other in reached if other == "postgres"} == {"auth", "member"}
    assert {name for name, other in reached if other == "redis"} == {"auth", "token-validator", "idempotency"}


def test_no_container_reaches_kongs_admin_api(docker: DockerStack) -> None:
    (kong,) = [container for container in containers(docker) if service(container) == "kong"]
    addresses = [network["IPAddress"] for network in kong["NetworkSettings"]["Networks"].values()]
    doors = json.dumps([["kong", address, port] for address in addresses for port in (8001, 8002, 8007)])
    for name in PYTHON_INSIDE:
        assert json.loads(compose(docker, "exec", "-T", name, "python", "-c", PROBE, doors)) == [], name
    assert httpx.get(f"{docker.admin_url}/status").status_code == 200  # the door itself is open


def test_the_outside_finds_two_ports(docker: DockerStack) -> None:
    open_to_all = {
        (service(container), inside)
        for container in containers(docker)
        for inside, outside in (container["NetworkSettings"]["Ports"] or {}).items()
        for binding in outside or []
        if binding["HostIp"] not in {"127.0.0.1", "::1"}
    }
    assert open_to_all == {("frontend_proxy", "3000/tcp"), ("kong", "8000/tcp")}


def test_no_process_of_ours_is_root_or_may_write_its_image(docker: DockerStack) -> None:
    for name in PYTHON_INSIDE:
        user, _, reason = compose(docker, "exec", "-T", name, "python", "-c", ROOT_IS_READ_ONLY).partition(
            " "
        )
        assert (user, reason.strip()) == ("10001", "Read-only file system"), name


def test_three_members_share_the_work_and_one_may_die(docker: DockerStack, admin: Tokens) -> None:
    own = f"{docker.gateway_url}/api/members/me"
    compose(docker, "up", "--detach", "--wait", "--no-recreate", "--scale", "member=3", "member")
    try:
        replicas = [container for container in containers(docker) if service(container) == "member"]
        assert len(replicas) == 3
        # Kong looks the name up again every few seconds; then each has its share.
        strangers, give_up = [replica["Id"] for replica in replicas], time.monotonic() + 60
        while strangers and time.monotonic() < give_up:
            with ThreadPoolExecutor(12) as callers:  # one by one, a kept connection may do for all
                asked = callers.map(lambda _: httpx.get(own, headers=admin.bearer).status_code, range(24))
            assert set(asked) == {200}
            strangers = [id_ for id_ in strangers if "/api/members/me" not in logs(id_)]
        assert strangers == []
        subprocess.run(["docker", "kill", replicas[0]["Id"]], check=True, capture_output=True)
        answers = [httpx.get(own, headers=admin.bearer).status_code for _ in range(20)]
        assert answers == [200] * 20
    finally:
        compose(docker, "up", "--detach", "--wait", "--scale", "member=1", "member")


def test_sessions_and_outcomes_outlive_a_restart_of_redis(docker: DockerStack) -> None:
    session = people.sign_in(docker)
    members = f"{docker.gateway_url}/api/members"
    headers = {**session.bearer, "Idempotency-Key": people.new_key()}
    body = people.new_member()
    made = httpx.post(members, json=body, headers=headers)
    docker.restart("redis")
    home = f"{docker.gateway_url}/api/home"
    give_up = time.monotonic() + 30
    while httpx.get(home, headers=session.bearer).status_code == 503 and time.monotonic() < give_up:
        time.sleep(0.2)  # the clients connect again
    assert httpx.get(home, headers=session.bearer).status_code == 200
    again = httpx.post(members, json=body, headers=headers)
    assert (made.status_code, again.status_code, again.content) == (201, 201, made.content)
    assert again.headers["X-Idempotency-Replayed"] == "true"


def test_a_lost_volume_comes_back_from_a_backup(docker: DockerStack, admin: Tokens, tmp_path: Path) -> None:
    members = f"{docker.gateway_url}/api/members"
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    body = {"email": f"{headers['Idempotency-Key']}@example.com", "name": "Kept Safe"}
    made = httpx.post(members, json=body, headers=headers)
    assert made.status_code == 201

    saved = tmp_path / "backup"
    script(docker, "deploy/backup.sh", str(saved))
    compose(docker, "down", "--volumes")
    script(docker, "deploy/restore.sh", str(saved))

    # The database has the member, Redis the session and the outcome: the key is answered with the first response.
    assert (
        httpx.get(f"{docker.gateway_url}{made.headers['Location']}", headers=admin.bearer).json()
        == made.json()
    )
    again = httpx.post(members, json=body, headers=headers)
    assert (again.status_code, again.headers["X-Idempotency-Replayed"]) == (201, "true")


def test_nothing_is_changed_by_a_backup_that_is_not_whole(docker: DockerStack, tmp_path: Path) -> None:
    (tmp_path / "auth.dump").write_bytes(b"half")
    with pytest.raises(AssertionError, match=r"member\.dump is missing or empty: nothing was changed"):
        script(docker, "deploy/restore.sh", str(tmp_path))


def logs(container: str) -> str:
    told = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
    return told.stdout + told.stderr


def script(docker: DockerStack, *command: str) -> None:
    finished = subprocess.run(
        ["sh", *command], cwd=ROOT, env=docker.environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
