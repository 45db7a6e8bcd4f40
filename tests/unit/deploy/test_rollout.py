"""What a rollout decides: which containers are outdated, and in which order parts are replaced."""

from typing import Any

import pytest

from deploy import rollout
from deploy.rollout import Container, Project, RolloutError, in_order, outdated

STARTED = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def container(**changes: Any) -> Container:
    facts = {
        "Name": "/gatehouse-member-1",
        "Image": "sha256:now",
        "State": {"Status": "running", "StartedAt": "2027-01-15T08:00:00.123456789Z"},
        "Config": {
            "Labels": {"com.docker.compose.config-hash": "hash", "com.docker.compose.service": "member"}
        },
    }
    return Container("id", {**facts, **changes})


@pytest.mark.parametrize(
    ("config_hash", "image", "newest_file", "expected"),
    [
        ("hash", "sha256:now", STARTED - 60, False),
        ("other", "sha256:now", STARTED - 60, True),
        ("hash", "sha256:newer", STARTED - 60, True),
        ("hash", "sha256:now", STARTED + 60, True),
    ],
)
def test_a_container_is_outdated_by_its_settings_its_image_or_a_mounted_file(
    config_hash: str, image: str, newest_file: float, expected: bool
) -> None:
    assert outdated(container(), config_hash, image, newest_file) is expected


def test_a_part_is_replaced_after_what_it_reads_at_its_start_and_stores_never() -> None:
    called = {"gatehouse.called-on": ""}
    services: dict[str, dict[str, Any]] = {
        "kong": {"labels": called, "depends_on": {"token-validator": {}, "idempotency": {}}},
        "token-validator": {"labels": called, "depends_on": {"redis": {}}},
        "idempotency": {"labels": called, "depends_on": {"redis": {}}},
        "redis": {},
        "bff": {"labels": called},
    }
    order = in_order(services)
    assert set(order) == {"kong", "token-validator", "idempotency", "bff"}
    assert order.index("kong") > max(order.index("token-validator"), order.index("idempotency"))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Status": "running", "Health": {"Status": "starting"}}, "starting"),
        ({"Status": "running"}, "running"),
        ({"Status": "restarting", "Health": {"Status": "unhealthy"}}, "restarting"),
    ],
)
def test_a_container_that_does_not_run_is_never_healthy(state: dict[str, Any], expected: str) -> None:
    assert container(State=state).health == expected


@pytest.mark.parametrize("end", [RolloutError("unhealthy"), KeyboardInterrupt()])
def test_a_replica_that_is_not_healthy_yet_does_not_stay(
    monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    """Not by Ctrl-C either: it would have no name, and no work, for as long as it lives."""
    there = [container()]
    said: list[tuple[str, ...]] = []

    def compose(*_: str) -> str:
        there.append(Container("new", container().facts))
        return ""

    def docker(*command: str, **_: Any) -> str:
        said.append(command)
        return ""

    def wait(_: Container) -> None:
        raise end

    monkeypatch.setattr(Project, "containers", lambda *_: list(there))
    monkeypatch.setattr(Project, "networks", lambda *_: ["upstreams"])
    monkeypatch.setattr(rollout, "_replicas", lambda *_, **__: [])
    monkeypatch.setattr(rollout, "_compose", compose)
    monkeypatch.setattr(rollout, "_docker", docker)
    monkeypatch.setattr(rollout, "_wait_until_healthy", wait)
    with pytest.raises(type(end)):
        object.__new__(Project).add("member", 1)
    assert said[-1] == ("rm", "--force", "new")
