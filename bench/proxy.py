"""What the web front costs: the same request through it and straight to the gateway.

    make up && python -m bench.proxy
    python -m bench.proxy --front http://127.0.0.1:3000 --gateway http://127.0.0.1:8000 --seconds 10

Both sides carry a real session: the front its cookie, the gateway the token inside. The two are measured in turns,
so that a machine that is busy meanwhile slows both. CPU is that of the process that listens on the front's port.
"""

import argparse
import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import psutil

EMAIL = os.environ.get("BENCH_EMAIL", "test@example.com")
PASSWORD = os.environ.get("BENCH_PASSWORD", "password123")
TURNS = 4


@dataclass
class Side:
    """One way to the same answer, and what was measured of it."""

    url: str
    headers: dict[str, str]
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def show(self, name: str) -> str:
        ranked = statistics.quantiles(self.latencies, n=100)
        rate = len(self.latencies) / self.seconds
        return f"| {name} | {rate:.0f} | {ranked[49] * 1000:.1f} | {ranked[98] * 1000:.1f} |"


async def main() -> None:
    arguments = _arguments()
    process = _listening(urlsplit(arguments.front).port or 80)
    # No jar: the cookie is sent by hand, so that both sides do the same work in the client.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        token = await _token(session, arguments.front)
        front = Side(arguments.front + arguments.path, {"Cookie": f"access_token={token}"})
        gateway = Side(arguments.gateway + arguments.path, {"Authorization": f"Bearer {token}"})
        await _load(session, front, arguments.connections, 1.0)
        front.latencies.clear()
        front.seconds = 0.0
        spent = 0.0
        for _ in range(TURNS):
            await _load(session, gateway, arguments.connections, arguments.seconds / TURNS)
            before = _cpu(process)
            await _load(session, front, arguments.connections, arguments.seconds / TURNS)
            spent += _cpu(process) - before
    print(f"GET {arguments.path}, {arguments.connections} connections\n")
    print("| way | requests/s | p50, ms | p99, ms |\n| --- | --- | --- | --- |")
    print(gateway.show("straight to the gateway"))
    print(front.show("through the front"))
    print(f"\nCPU of the front: {spent / len(front.latencies) * 1e6:.0f} µs a request")


async def _load(session: aiohttp.ClientSession, side: Side, connections: int, seconds: float) -> None:
    started = time.perf_counter()

    async def one() -> None:
        while (begun := time.perf_counter()) < started + seconds:
            async with session.get(side.url, headers=side.headers) as answer:
                await answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{side.url} answered {answer.status}")
            side.latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*(one() for _ in range(connections)))
    side.seconds += time.perf_counter() - started


async def _token(session: aiohttp.ClientSession, front: str) -> str:
    body = {"email": EMAIL, "password": PASSWORD}
    async with session.post(f"{front}/api/auth/login", json=body) as answer:
        if answer.status != 200:
            raise SystemExit(
                f"sign-in answered {answer.status}; BENCH_EMAIL and BENCH_PASSWORD name an account"
            )
        return answer.cookies["access_token"].value


def _listening(port: int) -> psutil.Process:
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    raise SystemExit(f"nothing of this machine listens on port {port}")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--front", default="http://127.0.0.1:3000")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000")
    parser.add_argument("--path", default="/api/auth/verify")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
