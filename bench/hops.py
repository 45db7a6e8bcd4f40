"""What each hop takes of CPU, in hello worlds: `make up && python -m bench.hops [--requests 800] [--rounds 5]`.

`GET /api/home` through the front, and auth's verify straight at auth, in turns with the least that a service can cost
(hello_world.py). Medians of the rounds.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit

import psutil

from bench.figures import figure
from bench.stack_load import Address, cpu_seconds, load, processes, reading, sign_in
from devstack.settings import read
from devstack.throwaway import free_port

BUDGETS = {"member": 3.2, "bff": 4.0, "frontend_proxy": 3.8, "auth": 3.0}
HELLO = "hello world"


async def main(requests: int, rounds: int) -> None:
    stack = read(os.environ)
    front, auth = (urlsplit(stack.url(port)) for port in ("FRONTEND_PORT", "AUTH_PORT"))
    cookies = await sign_in(front.geturl(), "test@example.com", "password123")
    home = reading(front.netloc, "/api/home", Cookie="; ".join(f"{n}={v}" for n, v in cookies.items()))
    verify = reading(auth.netloc, "/api/auth/verify", Authorization=f"Bearer {cookies['access_token']}")
    with _hello_world() as (address, process):
        kinds: dict[str, tuple[Address, bytes, tuple[str, ...]]] = {
            HELLO: (address, reading("hello", "/"), (HELLO,)),
            "home": (_address(front.netloc), home, ("member", "bff", "frontend_proxy")),
            "verify": (_address(auth.netloc), verify, ("auth",)),
        }
        for at, request, _ in kinds.values():
            await load(at, request, requests)
        parts = {**processes(stack), HELLO: [process]}
        costs: dict[str, list[float]] = {hop: [] for *_, hops in kinds.values() for hop in hops}
        for _ in range(rounds):
            for at, request, hops in kinds.values():
                before = cpu_seconds(parts)
                taken = await load(at, request, requests)
                after = cpu_seconds(parts)
                for hop in hops:
                    costs[hop].append((after[hop] - before[hop]) / len(taken) * 1e6)
    least = median(costs[HELLO])
    print("| hop | CPU, µs a request | in hello worlds | budget |\n| --- | --- | --- | --- |")
    print(f"| {HELLO} | {least:.0f} | 1 | |")
    for hop, budget in BUDGETS.items():
        ratio = median(costs[hop]) / least
        print(
            f"| {hop} | {median(costs[hop]):.0f} | {ratio:.1f} | {budget}{' (missed)' * (ratio > budget)} |"
        )
        figure(f"{hop} against a hello world", ratio, "ratio", budget=budget)


@contextmanager
def _hello_world() -> Iterator[tuple[Address, psutil.Process]]:
    port = free_port()
    server = subprocess.Popen((sys.executable, "-m", "bench.hello_world", str(port)))
    try:
        _await(("127.0.0.1", port))
        yield ("127.0.0.1", port), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(10)


def _await(address: Address) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(address).close()
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
        else:
            return


def _address(netloc: str) -> Address:
    host, _, port = netloc.partition(":")
    return host, int(port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.requests, arguments.rounds))
