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
import sys
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from bench.figures import figure
from bench.stack_load import LOAD, cpu_seconds, load, percentile, processes, reading, sign_in
from devstack.settings import Settings, read

BUDGET_P99_MS = 10.0
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
    cookies = await sign_in(front.geturl(), arguments.email, arguments.password)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    request = reading(front.netloc, PATH, Cookie=cookie, Accept="application/json")
    address = (front.hostname or "", front.port or 80)
    await load(address, request, max(200, arguments.requests // 10))
    parts = processes(stack)
    before, started = cpu_seconds(parts), time.perf_counter()
    taken = await load(address, request, arguments.requests, whole=_whole)
    elapsed, after = time.perf_counter() - started, cpu_seconds(parts)
    print(f"as fast as it goes: {len(taken) / elapsed:.0f} requests/s (budget {BUDGET_RATE:.0f})")
    print(f"  p50 {percentile(taken, 0.5):.1f} ms, p99 {percentile(taken, 0.99):.1f} ms")
    paced = await load(address, request, arguments.requests, BUDGET_RATE, _whole)
    print(f"at {BUDGET_RATE:.0f} requests/s:")
    print(
        f"  p50 {percentile(paced, 0.5):.1f} ms, p99 {percentile(paced, 0.99):.1f} ms (budget {BUDGET_P99_MS:.0f})"
    )
    figure("home, requests a second", len(taken) / elapsed, "clock", budget=BUDGET_RATE, at_least=True)
    figure("home at 500/s, p99 ms", percentile(paced, 0.99), "clock", budget=BUDGET_P99_MS)
    _report(len(taken), before, after)
    return 0


def _whole(screen: bytes) -> bool:
    return b'"degraded":[]' in screen


def _report(count: int, before: Mapping[str, float], after: Mapping[str, float]) -> None:
    shares = {hop: (seconds - before[hop]) / count * 1e6 for hop, seconds in after.items()}
    generator = shares.pop(LOAD)
    total = sum(shares.values())
    figure("home, all hops", total, "cpu")
    print("\n| hop | CPU, µs a request | share |\n| --- | --- | --- |")
    for hop, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"| {hop} | {share:.0f} | {share / total:.0%} |")
    print(f"| all | {total:.0f} | |\n| ({LOAD}) | {generator:.0f} | |")


if __name__ == "__main__":
    sys.exit(main())
