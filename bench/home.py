"""GET /api/home through frontend_proxy and Kong on a running stack: throughput, latency, and each hop's share of CPU.

    make up && python -m bench.home [--requests 3000]

First as fast as 8 connections that each wait for their answer go: throughput, and how long an answer then takes. Then
at the budget's rate, with each request's time counted from when it was due, late senders included: the latency that
the budget bounds. Last, a table of CPU microseconds a request for every part of the stack, from the first of the two
(DEVSTACK_DIR and the ports' variables say which stack, as for `make up`). CPU is what to compare: on a machine that
does something else as well, latency and throughput say little. The load generator is on the same cores; what it costs
is the table's last line.
"""

import argparse
import asyncio
import os
import resource
import sys
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import psutil

from bench.figures import figure
from devstack import control
from devstack.settings import Settings, read

CONNECTIONS = 8
BUDGET_P50_MS = 10.0
BUDGET_P99_MS = 40.0
BUDGET_RATE = 500.0
PATH = "/api/home"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--email", default="test@example.com")
    parser.add_argument("--password", default="password123")
    parser.add_argument("--requests", type=int, default=3000)
    return asyncio.run(_run(read(os.environ), parser.parse_args()))


async def _run(stack: Settings, arguments: argparse.Namespace) -> int:
    front = urlsplit(stack.url("FRONTEND_PORT"))
    request = _request(front.netloc, await _cookie(front.geturl(), arguments.email, arguments.password))
    address = (front.hostname or "", front.port or 80)
    await _load(address, request, max(200, arguments.requests // 10))
    parts = _processes(stack)
    before, started = _cpu_seconds(parts), time.perf_counter()
    taken = await _load(address, request, arguments.requests)
    elapsed, after = time.perf_counter() - started, _cpu_seconds(parts)
    print(f"as fast as it goes: {len(taken) / elapsed:.0f} requests/s (budget {BUDGET_RATE:.0f})")
    print(f"  p50 {_percentile(taken, 0.5):.1f} ms, p99 {_percentile(taken, 0.99):.1f} ms")
    paced = await _load(address, request, arguments.requests, rate=BUDGET_RATE)
    print(f"at {BUDGET_RATE:.0f} requests/s:")
    print(f"  p50 {_percentile(paced, 0.5):.1f} ms (budget {BUDGET_P50_MS:.0f})")
    print(f"  p99 {_percentile(paced, 0.99):.1f} ms (budget {BUDGET_P99_MS:.0f})")
    figure("home, requests a second", len(taken) / elapsed, "clock", budget=BUDGET_RATE, at_least=True)
    figure("home at 500/s, p99 ms", _percentile(paced, 0.99), "clock", budget=BUDGET_P99_MS)
    _report(len(taken), before, after)
    return 0


async def _cookie(url: str, email: str, password: str) -> str:
    """The session of somebody who signs in, as a browser sends it."""
    credentials = {"email": email, "password": password}
    async with (
        aiohttp.ClientSession(url) as session,
        session.post("/api/auth/login", json=credentials) as answer,
    ):
        if answer.status != 200:
            sys.exit(f"signing in: {answer.status} {await answer.text()}")
        return "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())


def _request(host: str, cookie: str) -> bytes:
    return f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: application/json\r\n\r\n".encode()


async def _load(
    address: tuple[str, int], request: bytes, count: int, rate: float | None = None
) -> list[float]:
    """Seconds of each request, over CONNECTIONS clients that each wait for their answer.

    With a `rate` (requests a second, all clients together) a request's time begins when it is due.
    """
    taken: list[float] = []
    degraded = 0
    begun = time.perf_counter()

    async def client(place: int) -> None:
        nonlocal degraded
        reader, writer = await asyncio.open_connection(*address)
        for number in range(count // CONNECTIONS):
            sent = time.perf_counter()
            if rate is not None:
                due = begun + (number * CONNECTIONS + place) / rate
                if due > sent:
                    await asyncio.sleep(due - sent)
                sent = due
            writer.write(request)
            degraded += b'"degraded":[]' not in await _screen(reader)
            taken.append(time.perf_counter() - sent)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client(place) for place in range(CONNECTIONS)))
    if degraded:
        print(f"{degraded} screens went on without a source", file=sys.stderr)
    return taken


def _percentile(taken: list[float], share: float) -> float:
    """Milliseconds."""
    return sorted(taken)[int(len(taken) * share)] * 1000


async def _screen(reader: asyncio.StreamReader) -> bytes:
    """Reads one answer. As little as can be done, since it runs on the cores that are measured."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"no screen: {head.decode('latin-1')}")
    lower = head.lower()
    if b"\r\ncontent-length:" in lower:
        return await reader.readexactly(int(lower.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


def _processes(stack: Settings) -> dict[str, list[psutil.Process]]:
    """Every part's processes, workers and backends with them."""
    found = {}
    for part in control.ask(stack.control_socket, command="status")["parts"]:
        if part["pid"]:
            process = psutil.Process(part["pid"])
            found[part["name"]] = [process, *process.children(recursive=True)]
    return found


def _cpu_seconds(parts: Mapping[str, list[psutil.Process]]) -> dict[str, float]:
    """User and system time of each part, and of this process, the load generator."""
    spent = {}
    for name, processes in parts.items():
        times = [process.cpu_times() for process in processes if process.is_running()]
        spent[name] = sum(each.user + each.system for each in times)
    own = resource.getrusage(resource.RUSAGE_SELF)
    spent["load generator"] = own.ru_utime + own.ru_stime
    return spent


def _report(count: int, before: Mapping[str, float], after: Mapping[str, float]) -> None:
    shares = {hop: (seconds - before[hop]) / count * 1e6 for hop, seconds in after.items()}
    load = shares.pop("load generator")
    total = sum(shares.values())
    figure("home, all hops", total, "cpu")
    print("\n| hop | CPU, µs a request | share |\n| --- | --- | --- |")
    for hop, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"| {hop} | {share:.0f} | {share / total:.0%} |")
    print(f"| all | {total:.0f} | |\n| (load generator) | {load:.0f} | |")


if __name__ == "__main__":
    sys.exit(main())
