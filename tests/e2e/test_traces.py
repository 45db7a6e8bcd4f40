"""One request is one trace, from the browser's side to the last service, as a collector gets it."""

import sys
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


def test_at_the_gateway_a_stranger_decides_nothing_about_traces(stack: Stack) -> None:
    """127.0.0.2 is a neighbour; the front is at 127.0.0.1, as the stack's own tests are."""
    if not isinstance(stack, LocalStack) or sys.platform != "linux":
        pytest.skip("neighbours on the loopback, and a collector that is a thread of the tests")
    theirs, ours = uuid.uuid4().hex, uuid.uuid4().hex
    neighbour = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=stack.gateway_url, transport=neighbour) as client:
        for flags in ("01", "00"):
            given = {
                "traceparent": f"00-{theirs}-00f067aa0ba902b7-{flags}",
                "X-Request-Id": f"theirs-{theirs}",
            }
            client.get("/api/storefront", headers=given).raise_for_status()
    with httpx.Client(base_url=stack.gateway_url) as client:
        given = {"traceparent": f"00-{ours}-00f067aa0ba902b7-01"}
        client.get("/api/storefront", headers=given).raise_for_status()
        # Not sampled by one who may say so: its spans are in no trace at all.
        quiet = {"traceparent": f"00-{ours[::-1]}-00f067aa0ba902b7-00"}
        client.get("/api/storefront", headers=quiet).raise_for_status()
    stack.collector.until(lambda found: any(span.service == "bff" for span in found), ours)
    # bff has sent what came before: one thread sends in order.
    assert stack.collector.spans(theirs) == stack.collector.spans(ours[::-1]) == []
    assert theirs not in {
        line.partition('"trace.id":"')[2][:32]
        for line in stack.log().splitlines()
        if f"theirs-{theirs}" in line
    }
