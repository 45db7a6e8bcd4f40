"""compose.prod.yaml as it is delivered: brought up whole with fresh secrets and the real Kong, and used.

Needs an engine and Kong's image, since production has no stand-in: `--stack=docker` where both are.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from devstack.settings import ROOT
from devstack.throwaway import free_ports
from tests.e2e import docker_stack, people

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

COMPOSE_DEADLINE = 400
"""Seconds; the images may have to be built first."""
PASSWORD = "a-password-of-production-48213"
FORGED = ("198.51.100.7", "10.1.2.3")
"""Addresses that a client makes up: one of the internet's and one that many a network has."""

# One request from a container of its own; printed is that container's address. Only a client can say what its own is.
CALL = """
import socket, sys, urllib.request
url, host, forged, body = sys.argv[1:]
headers = {"Host": host, "X-Forwarded-For": forged, "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=20).close()
print(socket.gethostbyname(socket.gethostname()))
"""


@dataclass(frozen=True)
class Production:
    gateway: str
    front: str
    environment: dict[str, str]

    def compose(self, *arguments: str) -> str:
        finished = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMPOSE_DEADLINE,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def called_from(self, door: str, url: str, body: dict[str, str]) -> str:
        """Sends `body` to `url` from a container behind `door`, as from a machine of the same private network, with
        addresses made up. Returns the container's own."""
        network = f"{self.environment['COMPOSE_PROJECT_NAME']}_{door}"
        image = f"gatehouse/service:{os.environ.get('GATEHOUSE_TAG', 'dev')}"
        arguments = [url, "shop.example", ", ".join(FORGED), json.dumps(body)]
        finished = subprocess.run(
            ["docker", "run", "--rm", "--network", network, image, "python", "-c", CALL, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()


@pytest.fixture(scope="module")
def production(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    if request.config.getoption("--stack") == "local":
        pytest.skip("containers are left out (--stack=local)")
    if not docker_stack.available():
        pytest.skip(f"no Docker engine, or none with {docker_stack.KONG_IMAGE}: production has no stand-in")
    secrets = tmp_path_factory.mktemp("production") / "secrets"
    subprocess.run(
        [sys.executable, str(ROOT / "deploy/make_secrets.py"), str(secrets)], check=True, capture_output=True
    )
    front, gateway = free_ports(2)
    running = Production(
        f"http://127.0.0.1:{gateway}",
        f"http://127.0.0.1:{front}",
        {
            **os.environ,
            "COMPOSE_FILE": "compose.prod.yaml",
            "COMPOSE_PROJECT_NAME": f"gatehouse-production-test-{os.getpid()}",
            "SECRETS_DIR": str(secrets),
            "FRONTEND_PORT": str(front),
            "GATEWAY_PORT": str(gateway),
            "PUBLIC_ORIGIN": "https://shop.example",
            # Beside an installation that has the default's.
            "NETWORK_PREFIX": f"10.214.{os.getpid() % 256}",
        },
    )
    try:
        running.compose("up", "--build", "--detach", "--wait")
        yield running
    finally:
        running.compose("down", "--volumes")


def test_somebody_registers_signs_in_and_repeats_a_request(production: Production) -> None:
    email = f"{people.new_key()}@example.com"
    with httpx.Client(base_url=production.gateway, timeout=20) as client:
        account = {"email": email, "password": PASSWORD, "name": "First Customer"}
        assert client.post("/api/auth/register", json=account).status_code == 201
        signed_in = client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert signed_in.status_code == 200
        bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}

        headers = {**bearer, "Idempotency-Key": people.new_key()}
        first, again = (client.get("/api/home", headers=headers) for _ in range(2))
        assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
        assert again.headers["X-Idempotency-Replayed"] == "true"

        assert client.post("/api/auth/logout", headers=bearer).status_code == 204
        assert client.get("/api/auth/me", headers=bearer).status_code == 401


def test_nobody_of_the_demo_data_is_there(production: Production) -> None:
    demo = {"email": "test@example.com", "password": "password123"}
    assert httpx.post(f"{production.gateway}/api/auth/login", json=demo, timeout=20).status_code == 401


def test_what_is_not_routed_is_refused_as_a_problem(production: Production) -> None:
    answer = httpx.get(f"{production.gateway}/internal/accounts", timeout=20)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_pages_are_for_their_own_host_and_over_tls_alone(production: Production) -> None:
    assert httpx.get(f"{production.front}/health", timeout=20).status_code == 200
    answer = httpx.get(f"{production.front}/", headers={"Host": "shop.example"}, timeout=20)
    assert answer.headers.get("strict-transport-security"), answer.headers


def test_the_first_administrator_is_made_from_the_command_line(production: Production) -> None:
    email = f"{people.new_key()}@example.com"
    account = {"email": email, "password": PASSWORD, "name": "Somebody Else"}
    assert httpx.post(f"{production.gateway}/api/auth/register", json=account, timeout=20).status_code == 201
    production.compose("exec", "-T", "auth", "python", "-m", "services.auth", "grant-role", email, "admin")
    credentials = {"email": email, "password": PASSWORD}
    signed_in = httpx.post(f"{production.gateway}/api/auth/login", json=credentials, timeout=20).json()
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    assert httpx.get(f"{production.gateway}/api/members", headers=bearer, timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("door", "origin"),
    [("gateway_door", "http://kong:8000"), ("front_door", "http://frontend_proxy:3000")],
)
def test_a_client_in_a_private_network_is_known_by_its_own_address_whatever_it_claims(
    production: Production, door: str, origin: str
) -> None:
    """Else it would have as many addresses as it likes, and a throttle for each."""
    email = f"{people.new_key()}@example.com"
    account = {"email": email, "password": PASSWORD, "name": "A Neighbour"}
    credentials = {"email": email, "password": PASSWORD}
    with httpx.Client(base_url=production.gateway, timeout=20) as client:
        assert client.post("/api/auth/register", json=account).status_code == 201
        own = production.called_from(door, f"{origin}/api/auth/login", credentials)
        bearer = {
            "Authorization": f"Bearer {client.post('/api/auth/login', json=credentials).json()['access_token']}"
        }
        sessions = client.get("/api/auth/sessions", headers=bearer).json()["items"]
    assert [session["address"] for session in sessions if not session["current"]] == [own]


def test_a_browser_is_known_by_its_own_address_through_the_front_and_the_gateway(
    production: Production,
) -> None:
    """The longest way: two of ours stand between, and neither must pass for the client."""
    nobody = {"email": f"{people.new_key()}@example.com"}
    own = production.called_from("front_door", "http://frontend_proxy:3000/api/auth/password/forgot", nobody)
    lines = production.compose("logs", "--no-log-prefix", "auth").splitlines()
    # Some versions of Compose write a terminal's escape before the first line.
    asked = [json.loads(line[line.index("{") :]) for line in lines if '"password_reset_requested"' in line]
    assert [line["address"] for line in asked] == [own]
