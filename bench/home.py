"""GET /api/home through frontend_proxy and Kong on a running stack: latency, throughput, and each hop's share of CPU.

    make up && python -m bench.home [--url http://localhost:3000] [--requests 3000]

One line for each number against the budget (design: p50 10 ms, p99 40 ms, 500 requests/s at 8 connections), then a
table of CPU microseconds a request, for every process of the stack. Let nothing else run on the machine: a second
stack's processes would be counted as well.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping

import aiohttp
import psutil

CONNECTIONS = 8
BUDGET_P50_MS = 10.0
BUDGET_P99_MS = 40.0
BUDGET_RATE = 500.0
# What a process' command line holds, and the hop that it is.
HOPS = {
    "frontend_proxy": "frontend_proxy",
    "nginx": "Kong",
    "kong.plugins token-validator": "token-validator",
    "kong.plugins idempotency": "idempotency",
    "devstack.gateway": "stand-in gateway",
    "services.bff": "bff",
    "services.member": "member",
    "services.auth": "auth",
    "postgres": "PostgreSQL",
    "redis-server": "Redis",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://localhost:3000")
    parser.add_argument("--email", default="test@example.com")
    parser.add_argument("--password", default="password123")
    parser.add_argument("--requests", type=int, default=3000)
    arguments = parser.parse_args()
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    # An address in numbers gets its cookies back too; development cookies need no TLS.
    jar = aiohttp.CookieJar(unsafe=True)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(arguments.url, cookie_jar=jar, connector=connector) as session:
        credentials = {"email": arguments.email, "password": arguments.password}
        async with session.post("/api/auth/login", json=credentials) as answer:
            if answer.status != 200:
                print(f"signing in: {answer.status} {await answer.text()}", file=sys.stderr)
                return 1
        await _load(session, max(200, arguments.requests // 10))
        before = _cpu_seconds()
        started = time.perf_counter()
        taken = await _load(session, arguments.requests)
        elapsed = time.perf_counter() - started
        after = _cpu_seconds()
    _report(sorted(taken), elapsed, before, after)
    return 0


async def _load(session: aiohttp.ClientSession, count: int) -> list[float]:
    """Seconds of each request, over CONNECTIONS clients that each wait for their answer."""
    taken: list[float] = []
    degraded: list[str] = []

    async def client(share: int) -> None:
        for _ in range(share):
            sent = time.perf_counter()
            async with session.get("/api/home") as answer:
                body = await answer.json()
                if answer.status != 200:
                    raise RuntimeError(f"no screen: {answer.status} {body}")
            degraded.extend(body["degraded"])
            taken.append(time.perf_counter() - sent)

    await asyncio.gather(*(client(count // CONNECTIONS) for _ in range(CONNECTIONS)))
    if degraded:
        print(f"went on without a source {len(degraded)} times: {sorted(set(degraded))}", file=sys.stderr)
    return taken


def _cpu_seconds() -> dict[str, float]:
    """User and system time of each hop's processes."""
    spent: dict[str, float] = {}
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            hop = next((name for mark, name in HOPS.items() if mark in line), None)
            if hop is not None:
                times = process.cpu_times()
                spent[hop] = spent.get(hop, 0.0) + times.user + times.system
        except psutil.Error:
            # It ended, or is somebody else's: in either case it is not of this stack.
            continue
    return spent


def _report(
    taken: list[float], elapsed: float, before: Mapping[str, float], after: Mapping[str, float]
) -> None:
    count = len(taken)
    p50, p99 = taken[count // 2] * 1000, taken[int(count * 0.99)] * 1000
    print(f"p50 {p50:.1f} ms (budget {BUDGET_P50_MS:.0f})")
    print(f"p99 {p99:.1f} ms (budget {BUDGET_P99_MS:.0f})")
    print(f"{count / elapsed:.0f} requests/s (budget {BUDGET_RATE:.0f})")
    shares = {hop: (seconds - before.get(hop, 0.0)) / count * 1e6 for hop, seconds in after.items()}
    total = sum(shares.values())
    print("\n| hop | CPU, µs a request | share |\n| --- | --- | --- |")
    for hop, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"| {hop} | {share:.0f} | {share / total:.0%} |")
    print(f"| all | {total:.0f} | |")


if __name__ == "__main__":
    sys.exit(main())
