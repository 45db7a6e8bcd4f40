"""The whole stack for the journeys: one of the tests' own, beside whatever runs on the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e import docker_stack, local_stack, people
from tests.e2e.people import Tokens
from tests.e2e.secrets_used import noted
from tests.e2e.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")
            item.add_marker(pytest.mark.timeout(400))  # the first of them waits for the start


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A healthy stack with the demo data, on what `--stack` says.

    After the last journey no secret that any of them used is in a span or a log, nor an e-mail address.
    """
    wanted = request.config.getoption("--stack")
    if wanted == "docker" or (wanted == "auto" and docker_stack.available()):
        with docker_stack.running() as running:
            yield running
    else:
        with local_stack.running() as here, noted(here.secrets()) as used:
            yield here
            in_spans = used.found_in(b"\n".join(here.collector.bodies), personal=True)
            in_logs = used.found_in(here.everything_logged(), personal=True)
            assert not in_spans | in_logs, f"in spans: {in_spans}; in logs: {in_logs}"


@pytest.fixture(scope="session")
def admin_session(stack: Stack) -> Callable[[], Tokens]:
    """Signs the demo account in, and again before its access token of ten minutes is old."""
    return people.StandingSession(stack).tokens


@pytest.fixture
def admin(admin_session: Callable[[], Tokens]) -> Tokens:
    """A session of the demo account that no test may end."""
    return admin_session()
