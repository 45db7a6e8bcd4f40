"""Sign-ins a second against what the hashing alone allows: cores / seconds of one argon2 hash.

    python -m bench.login [--seconds 10] [--connections 8]

Starts auth as it is served, on stores of its own, with its usual argon2id parameters. A ratio of 1 would mean that
nothing but hashing costs anything; the budget is 0.9. Nothing else should run meanwhile. The last column holds on a
busy machine too: of the CPU time that auth spends on a sign-in, the share that one hash takes.
"""

import argparse
import asyncio
import base64
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import msgspec
import psutil
from argon2 import PasswordHasher

from bench.figures import figure
from devstack import throwaway
from devstack.redis import Redis
from services.auth.settings import Settings

ISSUER, AUDIENCE = "https://auth.bench", "bench"
CREDENTIALS = {"email": "test@example.com", "password": "password123"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.login")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with auth() as (url, process):
        hash_seconds, hash_cpu = one_hash()
        spent = process.cpu_times()
        rate, median, count = asyncio.run(sign_ins(url, arguments.seconds, arguments.connections))
        now = process.cpu_times()
    login_cpu = (now.user + now.system - spent.user - spent.system) / count
    allowed = cores / hash_seconds
    figure("sign-in, share of the hash", hash_cpu / login_cpu, "ratio", budget=0.9, at_least=True)
    print(
        "| cores | one hash, ms | allowed, logins/s | reached, logins/s | ratio | median, ms | hash of CPU |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {cores} | {hash_seconds * 1000:.0f} | {allowed:.1f} | {rate:.1f} | {rate / allowed:.2f} "
        f"| {median * 1000:.0f} | {hash_cpu / login_cpu:.2f} |"
    )
    return 0


def one_hash() -> tuple[float, float]:
    """Seconds of one hash with the service's usual parameters, by the clock and of CPU; the medians of nine."""
    usual = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    hasher = PasswordHasher(
        time_cost=usual["argon2_t"], memory_cost=usual["argon2_m"], parallelism=usual["argon2_p"]
    )
    times, cpu_times = [], []
    for _ in range(9):
        began, cpu_began = time.perf_counter(), time.thread_time()
        hasher.hash(CREDENTIALS["password"])
        times.append(time.perf_counter() - began)
        cpu_times.append(time.thread_time() - cpu_began)
    return statistics.median(times), statistics.median(cpu_times)


async def sign_ins(url: str, seconds: float, connections: int) -> tuple[float, float, int]:
    """Sign-ins a second, their median time in seconds, and how many they were."""
    times: list[float] = []
    async with aiohttp.ClientSession() as session:
        until = time.perf_counter() + seconds

        async def keep_signing_in() -> None:
            while (began := time.perf_counter()) < until:
                async with session.post(f"{url}/api/auth/login", json=CREDENTIALS) as answer:
                    await answer.read()
                    answer.raise_for_status()
                times.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(keep_signing_in() for _ in range(connections)))
        return len(times) / (time.perf_counter() - began), statistics.median(times), len(times)


@contextmanager
def auth() -> Iterator[tuple[str, psutil.Process]]:
    """auth with the demo account, on stores of its own: its base URL and its process."""
    with throwaway.redis() as redis, auth_on(redis) as served:
        yield served


@contextmanager
def auth_on(redis: Redis, **settings: str) -> Iterator[tuple[str, psutil.Process]]:
    """`settings`: variables of its environment beside the necessary ones."""
    port = throwaway.free_port()
    with throwaway.postgres() as postgres, tempfile.TemporaryFile() as log:
        postgres.ensure_database("auth")
        environment = {
            "AUTH_PORT": str(port),
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "AUTH_DATABASE_URL": postgres.url("auth"),
            "REDIS_URL": redis.url(),
            "MEMBER_URL": "http://127.0.0.1:9",
            "INTERNAL_API_KEY": "internal-key-of-the-bench",
            "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(os.urandom(32)).decode(),
            "DEMO_DATA": "true",
            "LOG_LEVEL": "WARNING",
        }
        # A line for each sign-in, which nobody wants between the figures; told where auth does not start.
        process = subprocess.Popen(
            [sys.executable, "-m", "services.auth"], env=os.environ | environment | settings, stderr=log
        )
        try:
            try:
                asyncio.run(_ready(f"http://127.0.0.1:{port}"))
            except TimeoutError:
                log.seek(0)
                sys.stderr.write(log.read().decode())
                raise
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(15)


async def _ready(url: str) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
