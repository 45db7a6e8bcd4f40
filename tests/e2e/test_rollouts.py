"""Containers are replaced and added under keyed POSTs without one that fails (deploy/rollout.py), and TLS is spoken.

On compose.yaml; and on compose.prod.yaml where an image of Caddy is at hand, since Kong and the front can be two there.
"""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from devstack.settings import ROOT
from devstack.throwaway import free_ports
from tests import local_certificate
from tests.e2e.docker_stack import IMAGE_TAG, DockerStack, compose_files, free_prefix, has_image
from tests.e2e.keyed_load import keyed_posts
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

CADDY_IMAGE = os.environ.get("CADDY_IMAGE", "caddy:2.10-alpine")


def run(environment: dict[str, str], *command: str) -> str:
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def rollout(environment: dict[str, str], *arguments: str) -> str:
    return run(environment, sys.executable, "deploy/rollout.py", *arguments)


def replicas(environment: dict[str, str], service: str) -> list[str]:
    return run(environment, "docker", "compose", "ps", "--quiet", service).split()


@pytest.fixture
def docker(stack: Stack) -> DockerStack:
    if not isinstance(stack, DockerStack):
        pytest.skip("the stack runs as local processes (--stack=docker runs it in containers)")
    return stack


def test_services_and_plugin_servers_are_replaced_under_load(docker: DockerStack, admin: Tokens) -> None:
    parts = ("auth", "bff", "idempotency", "member", "token-validator")
    before = {part: replicas(docker.environment, part) for part in parts}
    with keyed_posts(f"{docker.gateway_url}/api/members", admin.bearer) as answers:
        rollout(docker.environment, "deploy", "--force", *parts)
    after = {part: replicas(docker.environment, part) for part in parts}
    assert all(len(after[part]) == 1 and after[part] != before[part] for part in parts)
    assert answers.failed == [] and answers.count > 100


def test_members_are_added_and_taken_away_under_load(docker: DockerStack, admin: Tokens) -> None:
    with keyed_posts(f"{docker.gateway_url}/api/members", admin.bearer) as answers:
        rollout(docker.environment, "scale", "member", "3")
        assert len(replicas(docker.environment, "member")) == 3
        rollout(docker.environment, "scale", "member", "1")
    assert len(replicas(docker.environment, "member")) == 1
    assert answers.failed == [] and answers.count > 100


def test_what_has_not_changed_is_left_alone_even_if_a_rollout_made_it(docker: DockerStack) -> None:
    rollout(docker.environment, "deploy", "--force", "idempotency", "member")
    before = run(docker.environment, "docker", "compose", "ps", "--quiet")
    told = rollout(docker.environment, "deploy")
    assert told.count("is as it should be") == 7, told
    run(docker.environment, "docker", "compose", "up", "--detach", "--wait", "--no-build")
    assert run(docker.environment, "docker", "compose", "ps", "--quiet") == before


@dataclass(frozen=True)
class Production:
    environment: dict[str, str]
    front: str
    gateway: str
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    if not has_image(CADDY_IMAGE):
        pytest.skip(f"no image {CADDY_IMAGE} on this machine (CADDY_IMAGE names another)")
    folder = tmp_path_factory.mktemp("production")
    certificate, key = local_certificate.localhost()
    (folder / "tls").mkdir()
    (folder / "tls" / "certificate.pem").write_bytes(certificate)
    (folder / "tls" / "key.pem").write_bytes(key)
    run(dict(os.environ), sys.executable, "deploy/make_secrets.py", str(folder))
    ports = dict(zip(("HTTP_PORT", "HTTPS_PORT", "GATEWAY_HTTPS_PORT"), free_ports(3), strict=True))
    environment = {
        **os.environ,
        **{name: str(port) for name, port in ports.items()},
        "COMPOSE_PROJECT_NAME": f"gatehouse-e2e-prod-{os.getpid()}",
        "COMPOSE_FILE": os.pathsep.join(["compose.prod.yaml", *compose_files()[1:]]),
        "NETWORK_PREFIX": free_prefix(),
        "GATEHOUSE_TAG": IMAGE_TAG,
        "PUBLISH_ADDRESS": "127.0.0.1",
        "PUBLIC_ORIGIN": f"https://localhost:{ports['HTTPS_PORT']}",
        "SECRETS_DIR": str(folder),
        "TLS_DIR": str(folder / "tls"),
    }
    trust = ssl.create_default_context(cadata=certificate.decode())
    try:
        run(environment, "docker", "compose", "up", "--build", "--detach", "--wait")
        yield Production(
            environment,
            environment["PUBLIC_ORIGIN"],
            f"https://localhost:{ports['GATEWAY_HTTPS_PORT']}",
            trust,
        )
    finally:
        run(environment, "docker", "compose", "down", "--volumes")


@pytest.fixture(scope="module")
def administrator(production: Production) -> dict[str, str]:
    """The headers of one that was made as docs/operations.md says."""
    person = {"email": "first@shop.example", "password": "correct horse battery staple"}
    with httpx.Client(base_url=production.gateway, verify=production.trust) as client:
        assert client.post("/api/auth/register", json={**person, "name": "First"}).status_code == 201
        command = ("docker", "compose", "exec", "-T", "auth", "python", "-m", "services.auth", "grant-role")
        run(production.environment, *command, person["email"], "admin")
        token = client.post("/api/auth/login", json=person).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_browsers_and_clients_are_served_over_tls_and_http_leads_there(production: Production) -> None:
    port = production.environment["HTTP_PORT"]
    sent_on = httpx.get(f"http://localhost:{port}/sign-in?next=/", headers={"Host": "evil.example"})
    assert (sent_on.status_code, sent_on.headers["Location"]) == (308, f"{production.front}/sign-in?next=/")
    for url in (f"{production.front}/sign-in", f"{production.gateway}/api/home"):
        answer = httpx.get(url, verify=production.trust)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000"), url
        assert answer.headers["X-Request-Id"]
    assert httpx.get(f"{production.front}/sign-in", verify=production.trust).status_code == 200
    assert httpx.get(f"{production.gateway}/api/home", verify=production.trust).status_code == 401


def test_a_client_cannot_choose_its_address(production: Production) -> None:
    httpx.get(
        f"{production.front}/sign-in", verify=production.trust, headers={"X-Forwarded-For": "198.51.100.77"}
    )
    logs = run(production.environment, "docker", "compose", "logs", "--no-color", "frontend_proxy")
    assert "/sign-in" in logs
    assert "198.51.100.77" not in logs


def test_kong_and_the_front_are_replaced_under_load(
    production: Production, administrator: dict[str, str]
) -> None:
    before = {part: replicas(production.environment, part) for part in ("kong", "frontend_proxy")}
    with keyed_posts(f"{production.gateway}/api/members", administrator, production.trust) as answers:
        rollout(production.environment, "deploy", "--force", "kong", "frontend_proxy")
    after = {part: replicas(production.environment, part) for part in ("kong", "frontend_proxy")}
    assert all(len(after[part]) == 1 and after[part] != before[part] for part in after)
    assert answers.failed == [] and answers.count > 100
