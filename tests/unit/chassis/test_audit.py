"""Each change that an administrator asked for and got is on record, by the call's own name; nothing else is."""

import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from litestar import Response, get, post
from litestar.params import FromPath
from prometheus_client import CollectorRegistry

from services.chassis.app import create_app
from services.chassis.errors import Conflict
from services.chassis.identity import Identity
from tests.in_process import running

ACCOUNT, SESSION = UUID(int=7), UUID(int=8)


class Tokens:
    """The token's text is the role."""

    async def authenticate(self, token: str) -> Identity:
        return Identity(ACCOUNT, SESSION, frozenset([token]), 2e9, token)


@post("/things/{number:int}", operation_id="makeThing")
async def make(number: FromPath[int]) -> int:
    return number


@get("/things", operation_id="readThings")
async def read() -> str:
    return ""


@post("/refused", operation_id="refuseThing")
async def refuse() -> None:
    raise Conflict("no")


@post("/preview", operation_id="previewThing", audited=False)
async def preview() -> str:
    return ""


@post("/repeated", operation_id="repeatThing")
async def repeated() -> Response[str]:
    return Response("", headers={"Idempotent-Replayed": "true"})


@post("/anybody", operation_id="letAnybody", public=True)
async def anybody() -> str:
    return ""


@pytest.fixture
async def api() -> AsyncIterator[AsyncClient]:
    app = create_app(
        title="Test",
        handlers=[make, read, refuse, preview, repeated, anybody],
        authenticator=Tokens(),
        registry=CollectorRegistry(),
    )
    async with running(app) as client:
        yield client


def noted(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [each for each in caplog.records if each.name == "services.audit"]


async def test_a_change_is_noted_with_who_what_and_on_which(
    api: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("services").setLevel(logging.ERROR)  # who wants less noise does not want less evidence
    try:
        answer = await api.post("/things/3", headers={"Authorization": "Bearer admin"})
    finally:
        logging.getLogger("services").setLevel(logging.NOTSET)
    assert answer.status_code == 201
    (line,) = noted(caplog)
    assert (line.action, line.path) == ("makeThing", "/things/3")
    assert (line.actor, line.session) == (str(ACCOUNT), str(SESSION))
    assert 'admin_actions_total{event="makeThing"} 1.0' in (await api.get("/metrics")).text


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("POST", "/things/3", "member", 201),
        ("GET", "/things", "admin", 200),
        ("POST", "/refused", "admin", 409),
        ("POST", "/preview", "admin", 201),
        ("POST", "/repeated", "admin", 201),
        ("POST", "/anybody", "admin", 201),
        ("POST", "/nowhere", "admin", 404),
    ],
)
async def test_what_is_no_administrators_change_is_not_noted(
    api: AsyncClient, caplog: pytest.LogCaptureFixture, method: str, path: str, token: str, status: int
) -> None:
    answer = await api.request(method, path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status
    assert noted(caplog) == []
