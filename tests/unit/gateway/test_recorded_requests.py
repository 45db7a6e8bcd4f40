"""The stand-in gives what a real Kong 3.9.3 gave to the same requests (fixtures/kong-wire/http.jsonl)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from devstack.throwaway import free_port
from tests.unit.gateway import running
from tests.unit.gateway.echo import Echo
from tests.unit.gateway.raw_http import RawAnswer, request

RECORDED = Path(__file__).parents[2] / "fixtures" / "kong-wire"
ALL = [json.loads(line) for line in (RECORDED / "http.jsonl").read_text().splitlines()]
REQUESTS = [case for case in ALL if not case["case"].startswith("admin ")]
# Different at each run, or the echo server's own.
VARIABLE = {"date", "x-request-id", "x-kong-request-id", "content-length", "server"}
LATENCIES = {"x-kong-upstream-latency", "x-kong-proxy-latency", "x-kong-response-latency"}


class StandIn:
    """A running stand-in with two echo servers behind it, as when the requests were recorded."""

    def __init__(self, port: int, admin_port: int, ports: Mapping[int, int]) -> None:
        self.port = port
        self.admin_port = admin_port
        self._ports = ports  # recorded -> here

    def as_recorded(self, value: str) -> str:
        """Text with this run's ports replaced by those of the recording."""
        for recorded, here in self._ports.items():
            value = value.replace(str(here), str(recorded))
        return value


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stand_in(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StandIn]:
    alpha, beta = Echo("alpha"), Echo("beta")
    await alpha.start()
    await beta.start()
    dead = free_port()
    document = (RECORDED / "http-kong.yml").read_text()
    for recorded, here in ((9201, alpha.port), (9202, beta.port), (9299, dead)):
        document = document.replace(f":{recorded}", f":{here}")
    async with running.gateway(tmp_path_factory.mktemp("stand-in"), document) as gateway:
        ports = {9201: alpha.port, 9202: beta.port, 9299: dead, 8000: gateway.port}
        yield StandIn(gateway.port, gateway.admin_port, ports)
    await alpha.stop()
    await beta.stop()


async def ask(stand_in: StandIn, case: Mapping[str, Any]) -> RawAnswer:
    asked = case["request"]
    headers = {"Host": f"127.0.0.1:{stand_in.port}", **asked["headers"]}
    seen = case.get("upstream_saw", {}).get("body")
    body = seen.encode() if seen else b"x" * asked["body_bytes"]
    return await request(stand_in.port, asked["method"], asked["target"], headers, body)


def comparable(headers: list[list[str]] | list[tuple[str, str]], stand_in: StandIn) -> list[tuple[str, str]]:
    """In no order: names with their case, values where they do not vary."""
    fields = []
    for name, value in headers:
        kept = "(varies)" if name.lower() in VARIABLE | LATENCIES else stand_in.as_recorded(value)
        fields.append((name, kept))
    return sorted(fields)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REQUESTS, ids=[case["case"] for case in REQUESTS])
async def test_answers_as_kong_did(stand_in: StandIn, case: dict[str, Any]) -> None:
    answer = await ask(stand_in, case)
    recorded = case["response"]

    assert (answer.status, answer.reason) == (recorded["status"], recorded["reason"])
    assert comparable(answer.headers, stand_in) == comparable(recorded["headers"], stand_in)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "case",
    [case for case in REQUESTS if "upstream_saw" in case],
    ids=[case["case"] for case in REQUESTS if "upstream_saw" in case],
)
async def test_the_upstream_sees_what_it_saw_behind_kong(stand_in: StandIn, case: dict[str, Any]) -> None:
    answer = await ask(stand_in, case)
    seen, recorded = json.loads(answer.body), case["upstream_saw"]

    assert {name: seen[name] for name in ("upstream", "method", "target", "body")} == {
        name: recorded[name] for name in ("upstream", "method", "target", "body")
    }
    kept_id = case["request"]["headers"].get("X-Request-Id")
    ids = [value for name, value in seen["headers"] if name == "X-Request-Id"]
    assert ids == [answer.header("X-Request-Id")] and (kept_id is None or ids == [kept_id])
    without_length = [field for field in seen["headers"] if field[0] != "Content-Length"]
    expected = [field for field in recorded["headers"] if field[0] != "Content-Length"]
    assert comparable(without_length, stand_in) == comparable(expected, stand_in)
    lengths = [value for name, value in seen["headers"] if name == "Content-Length"]
    assert lengths == [value for name, value in recorded["headers"] if name == "Content-Length"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "case",
    [case for case in REQUESTS if "upstream_saw" not in case and case["response"].get("body") is not None],
    ids=lambda case: case["case"],
)
async def test_its_own_answers_have_kongs_bodies(stand_in: StandIn, case: dict[str, Any]) -> None:
    answer = await ask(stand_in, case)
    recorded = case["response"]["body"]

    if isinstance(recorded, str):
        old_id = recorded.split("request_id: ")[1].strip()
        assert answer.body.decode() == recorded.replace(old_id, str(answer.header("X-Kong-Request-Id")))
    else:
        expected = {**recorded, "request_id": answer.header("X-Kong-Request-Id")}
        assert json.loads(answer.body) == expected
        assert len(answer.body) == int(dict(case["response"]["headers"])["Content-Length"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/services", "/routes", "/plugins", "/services/alpha/routes"])
async def test_the_admin_api_lists_the_same_entities(stand_in: StandIn, path: str) -> None:
    recorded = next(case for case in ALL if case["case"] == f"admin {path}")["response"]["body"]
    answer = await request(stand_in.admin_port, "GET", path)
    entities = {entity["name"]: entity for entity in json.loads(answer.body)["data"]}

    for expected in (entity for entity in recorded["data"] if isinstance(entity, dict)):
        entity = entities[expected["name"]]
        own = set(entity) - {"id", "created_at", "updated_at", "service", "port", "config"}
        assert {name: entity[name] for name in own} == {name: expected[name] for name in own}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_admin_api_says_that_it_is_a_stand_in(stand_in: StandIn) -> None:
    root = json.loads((await request(stand_in.admin_port, "GET", "/")).body)
    assert root["edition"] == "stand-in"
    assert root["version"] == "3.9.3"
    assert (await request(stand_in.admin_port, "GET", "/services/nowhere")).status == 404
