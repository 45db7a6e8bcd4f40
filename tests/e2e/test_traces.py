"""One request is one trace, from the browser's side to the last service, as a collector gets it."""

import uuid

import httpx
import pytest

from common.telemetry.spans import ATTRIBUTES, Kind
from tests.collector import Received
from tests.e2e import people
from tests.e2e.local_stack import LocalStack
from tests.e2e.stack import Stack

FRONT_TO_MEMBER = [
    ("frontend_proxy", Kind.SERVER),
    ("frontend_proxy", Kind.CLIENT),
    ("bff", Kind.SERVER),
    ("bff", Kind.INTERNAL),
    ("bff", Kind.CLIENT),
    ("member", Kind.SERVER),
]


def test_a_screen_is_one_trace_from_the_front_to_member(stack: Stack) -> None:
    if not isinstance(stack, LocalStack):
        pytest.skip("the collector is a thread of the tests, which containers do not reach")
    secret, trace = f"not-for-spans-{uuid.uuid4()}", uuid.uuid4().hex
    with httpx.Client(base_url=stack.frontend_url) as browser:
        origin = {"Origin": stack.frontend_url}
        email, password = people.ADMIN
        credentials = {"email": email, "password": password}
        browser.post("/api/auth/login", json=credentials, headers=origin).raise_for_status()
        answer = browser.get(
            f"/api/home?token={secret}",
            headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-00", "Authorization": secret},
        )
        assert (answer.status_code, answer.json()["degraded"]) == (200, [])

    def complete(found: list[Received]) -> bool:
        services = {span.service for span in found if span.kind == Kind.SERVER}
        return {"frontend_proxy", "bff", "member", *stack.traced_gateway} <= services

    spans = stack.collector.until(complete, trace)
    by_id = {span.span_id: span for span in spans}
    member = next(span for span in spans if (span.service, span.kind) == ("member", Kind.SERVER))
    way = [member]
    while way[0].parent_id in by_id:
        way.insert(0, by_id[way[0].parent_id])
    ours = [span for span in way if span.service != "kong"]
    assert [(span.service, span.kind) for span in ours] == FRONT_TO_MEMBER
    assert way[0].parent_id == "00f067aa0ba902b7"
    assert [span.name for span in ours if span.kind == Kind.SERVER][1] == "GET /api/home"
    assert {span.service for span in way[2:-4]} == set(stack.traced_gateway)

    assert {name for span in ours for name in span.attributes} <= ATTRIBUTES
    told = repr(spans)
    assert secret not in told
    gateways = {name for span in spans if span.service == "kong" for name in span.attributes}
    assert not gateways & {"net.peer.ip", "http.client_ip", "http.url", "http.host"}
    for personal in (email, password, browser.cookies.get("access_token") or "no-cookie"):
        assert personal not in told
