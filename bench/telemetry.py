"""What tracing costs a hop: `python -m bench.telemetry [REQUESTS]`.

A request to a service's app, as the server hands it over, whose handler writes a row in a transaction (three statements
of a driver that answers at once) and calls another service: six spans. It runs off, unsampled and sampled in turn, in
small portions, so that all three have the same machine. CPU of the whole process counts: the exporter's thread as well,
which sends to a collector in another process. Budgets: unsampled 10 µs, sampled 60 µs.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from litestar import Litestar, get
from litestar.types import HTTPReceiveMessage, HTTPScope, Message

from bench.figures import figure
from common import logs
from common.telemetry import spans, tracing
from common.telemetry.exporter import Exporter
from common.telemetry.tracing import Tracer
from services.chassis.app import create_app
from services.chassis.postgres.statements import _traced

UNSAMPLED_US, SAMPLED_US = 10.0, 60.0
PORTION = 250
"""Requests in a row, of each kind in turn."""

SINK = """
import http.server, sys
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Driver:
    """Answers at once, as if the server had."""

    async def fetch(self, query: str, *_: Any) -> list[Any]:
        return []


class TracedDriver(Driver):
    fetch = _traced(Driver.fetch)  # type: ignore[assignment]


def service(driver: Driver) -> Litestar:
    @get("/api/things/{thing:int}", public=True)
    async def read(thing: int) -> dict[str, int]:
        await driver.fetch("BEGIN;")
        await driver.fetch("INSERT INTO thing (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", thing, "a")
        await driver.fetch("COMMIT;")
        with spans.call("GET", "127.0.0.1", 5000) as span:
            if span is not None:
                span.end(200)
        return {"thing": thing}

    return create_app(title="bench", handlers=[read], authenticator=None)


def scope(traceparent: str) -> HTTPScope:
    made: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/api/things/7",
        "raw_path": b"/api/things/7",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"bench"), (b"traceparent", traceparent.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }
    return made  # type: ignore[no-any-return]


async def receive() -> HTTPReceiveMessage:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_: Message) -> None:
    pass


async def asked(app: Litestar, flags: str, count: int) -> float:
    """CPU seconds of so many requests."""
    parent = f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"
    began = time.process_time()
    for _ in range(count):
        await app(scope(parent), receive, send)
    return time.process_time() - began


@contextmanager
def traced(tracer: Tracer | None) -> Iterator[None]:
    tracing._tracer = tracer
    try:
        yield
    finally:
        tracing._tracer = None


async def main(requests: int) -> int:
    sink = subprocess.Popen((sys.executable, "-c", SINK), stdout=subprocess.PIPE, text=True)
    assert sink.stdout is not None
    exporter = Exporter("bench", f"http://127.0.0.1:{sink.stdout.readline().strip()}")
    exporter.start()
    tracer = Tracer(exporter.add, 1.0)
    off = service(Driver())
    with traced(tracer):
        on = service(TracedDriver())
    kinds: dict[str, tuple[Litestar, Tracer | None, str]] = {
        "off": (off, None, "01"),
        "unsampled": (on, tracer, "00"),
        "sampled": (on, tracer, "01"),
    }
    portions: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(-2, max(3, requests // PORTION)):
        for kind, (app, with_tracer, flags) in kinds.items():
            with traced(with_tracer):
                took = await asked(app, flags, PORTION)
                if kind == "sampled":
                    took += drained(exporter)
            if number >= 0:
                portions[kind].append(took / PORTION * 1e6)
    sink.kill()
    sink.wait()
    return report(portions, exporter)


def drained(exporter: Exporter) -> float:
    """CPU seconds until all of it is sent."""
    began = time.process_time()
    while exporter.waiting:
        time.sleep(0.05)  # of this thread, so that nothing runs but the exporter's
    return time.process_time() - began


def report(portions: dict[str, list[float]], exporter: Exporter) -> int:
    base = statistics.median(portions["off"])
    costs = {
        kind: statistics.median(a - b for a, b in zip(portions[kind], portions["off"], strict=True))
        for kind in ("unsampled", "sampled")
    }
    print(f"off        {base:6.1f} µs a request")
    for kind, budget in (("unsampled", UNSAMPLED_US), ("sampled", SAMPLED_US)):
        cost = costs[kind]
        print(f"{kind:10} + {cost:4.1f} µs ({1 + cost / base:.2f} times off; budget {budget:.0f} µs)")
        figure(f"tracing, {kind}", cost, "cpu", budget=budget)
    print(f"{exporter.exported} spans exported, {exporter.dropped} dropped")
    return 0 if costs["unsampled"] <= UNSAMPLED_US and costs["sampled"] <= SAMPLED_US else 1


if __name__ == "__main__":
    logs.configure("bench", "WARNING")
    os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
