"""What only containers can show: who reaches whom, what the outside finds, replicas, and a lost volume.

Runs with `--stack=docker` (or where an engine and the images are); the files themselves are held to the same
promises, without an engine, by tests/unit/project/test_compose.py.
"""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.declaration import declaration
from devstack.settings import ROOT
from tests.e2e import people
from tests.e2e.docker_stack import DockerStack, free_prefix
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.unit.project.test_compose import MAY_TALK, SEE_EACH_OTHER

pytestmark = pytest.mark.docker

DECLARED = declaration()
LISTENS = {
    **{process.name: process.port for process in DECLARED.of_kind("service", "front", "aid")},
    "kong": 8000,
    "postgres": 5432,
    "redis": 6379,
}
EVERY_PORT = (*LISTENS.values(), 8001, 8025, 9601, 9602, 9603, 9604)
MAY_BE_FOUND = set(LISTENS.items()) | {
    ("mailbox", 8025),
    ("frontend_proxy", 9603),
}
"""Where something listens for others at all; 9603 is for a Prometheus that shares a network with the front."""
OURS = tuple(process.name for process in DECLARED.of_kind("service", "front", "plugin"))
PYTHON_IMAGE = os.environ.get("PYTHON_IMAGE", "python:3.13-slim-bookworm")

# Tried by address, not by name: what the networks let through, not what Docker's DNS tells.
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def open_(target):
    try:
        socket.create_connection(target[1:], 1).close()
        return True
    except OSError:
        return False
targets = [tuple(target) for target in json.loads(sys.argv[1])]
with ThreadPoolExecutor(32) as together:
    print(json.dumps([target for target, found in zip(targets, together.map(open_, targets)) if found]))
"""
LENT_RIGHTS = """
import os, pathlib, stat
print([str(file) for file in pathlib.Path("/").rglob("*") if not str(file).startswith(("/proc", "/sys"))
       and not file.is_symlink() and file.is_file() and file.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)])
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
        (service(container), network["IPAddress"], port)
        for container in containers(docker)
        for network in container["NetworkSettings"]["Networks"].values()
        for port in EVERY_PORT
    ]
    reached = {
        (service(container), other, port)
        for container in containers(docker)
        for other, _, port in json.loads(
            run(  # with the container's own view of the networks, whatever is in its image
                *("docker", "run", "--rm", "--network", f"container:{container['Id']}", PYTHON_IMAGE),
                *("python", "-c", PROBE),
                json.dumps([target for target in targets if target[0] != service(container)]),
                environment=docker.environment,
            )
        )
    }
    # A network carries both directions; beyond that, nothing that compose.yaml has no reason for.
    may_meet = MAY_TALK | SEE_EACH_OTHER
    assert {
        (name, other, port)
        for name, other, port in reached
        if (name, other) not in may_meet and (other, name) not in may_meet
    } == set()
    assert {(other, port) for _, other, port in reached} <= MAY_BE_FOUND
    pairs = {(name, other) for name, other, _ in reached}
    assert {(name, other) for name, other in MAY_TALK if "tls" not in (name, other)} <= pairs
    # Said once more: who has data in a store and the ports of this machine reach it, nothing else; not the other store.
    owners = {"postgres": DECLARED.stored, "redis": DECLARED.redis_users}
    for store, processes in owners.items():
        reaching = {name for name, other in pairs if other == store}
        assert reaching == {"loopback", *(process.name for process in processes)}, store


def test_no_container_has_pip_or_a_file_that_lends_its_owners_rights(docker: DockerStack) -> None:
    for name in OURS:
        assert compose(docker, "exec", "-T", name, "python", "-c", LENT_RIGHTS).strip() == "[]", name
        found = compose(
            docker,
            "exec",
            "-T",
            name,
            "sh",
            "-c",
            "command -v pip || /usr/local/bin/python -m pip 2>&1 || true",
        )
        assert "No module named pip" in found, name


def test_no_volume_is_without_a_name(docker: DockerStack) -> None:
    volumes = {
        mount["Name"] for c in containers(docker) for mount in c["Mounts"] if mount["Type"] == "volume"
    }
    project = docker.environment["COMPOSE_PROJECT_NAME"]
    assert {volume for volume in volumes if not volume.startswith(f"{project}_")} == set()


def test_three_stacks_have_their_networks_on_one_machine(docker: DockerStack) -> None:
    others: list[dict[str, str]] = []
    try:
        for number in (2, 3):
            name = f"{docker.environment['COMPOSE_PROJECT_NAME']}-{number}"
            other = {**docker.environment, "COMPOSE_PROJECT_NAME": name, "NETWORK_PREFIX": free_prefix()}
            others.append(other)
            run("docker", "compose", "up", "--no-start", "--no-build", environment=other)
    finally:
        for other in others:
            run("docker", "compose", "down", "--volumes", environment=other)


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
    for name in OURS:
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
    for missing in ("redis.rdb", "catalog.dump"):
        with pytest.raises(AssertionError, match=rf"{missing} is missing or empty: nothing was changed"):
            script(docker, "deploy/restore.sh", str(tmp_path))
        (tmp_path / missing).write_bytes(b"half")

    saved = tmp_path / "backup"
    script(docker, "deploy/backup.sh", str(saved))
    for name, said in (
        ("auth.dump", "auth.dump cannot be restored"),
        ("redis.rdb", "cannot be read by Redis"),
    ):
        whole = (saved / name).read_bytes()
        (saved / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(AssertionError, match=rf"(?s){said}.*nothing was changed"):
            script(docker, "deploy/restore.sh", str(saved))
        (saved / name).write_bytes(whole)
    assert httpx.get(f"{docker.gateway_url}/api/products").status_code == 200


def logs(container: str) -> str:
    told = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
    return told.stdout + told.stderr


def script(docker: DockerStack, *command: str) -> None:
    run("sh", *command, environment=docker.environment)


def run(*command: str, environment: dict[str, str]) -> str:
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
