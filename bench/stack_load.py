"""Load on a running stack, and the CPU that each of its parts takes for it.

As little as can be done for a request, since the load generator runs on the cores that are measured.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Callable, Mapping

import aiohttp
import psutil

from bench import cpu
from devstack import control
from devstack.settings import Settings

CONNECTIONS = 8
LOAD = "load generator"
"""The name that `cpu_seconds` gives this process."""

Address = tuple[str, int]


async def load(
    address: Address,
    request: bytes,
    count: int,
    rate: float | None = None,
    whole: Callable[[bytes], bool] = lambda _: True,
) -> list[float]:
    """Seconds of each request, over CONNECTIONS clients that each wait for their answer.

    With a `rate` (requests a second, all clients together) a request's time begins when it is due. Answers that are
    not `whole` are counted and told.
    """
    taken: list[float] = []
    partial = 0
    begun = time.perf_counter()

    async def client(place: int) -> None:
        nonlocal partial
        reader, writer = await asyncio.open_connection(*address)
        for number in range(count // CONNECTIONS):
            sent = time.perf_counter()
            if rate is not None:
                due = begun + (number * CONNECTIONS + place) / rate
                if due > sent:
                    await asyncio.sleep(due - sent)
                sent = due
            writer.write(request)
            partial += not whole(await _answer(reader))
            taken.append(time.perf_counter() - sent)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client(place) for place in range(CONNECTIONS)))
    if partial:
        print(f"{partial} answers were not whole", file=sys.stderr)
    return taken


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"no answer to count: {head.decode('latin-1')}")
    lower = head.lower()
    if b"\r\ncontent-length:" in lower:
        return await reader.readexactly(int(lower.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body


async def sign_in(url: str, email: str, password: str) -> dict[str, str]:
    """The cookies of somebody who signs in at the front."""
    credentials = {"email": email, "password": password}
    async with (
        aiohttp.ClientSession(url) as session,
        session.post("/api/auth/login", json=credentials) as answer,
    ):
        if answer.status != 200:
            sys.exit(f"signing in: {answer.status} {await answer.text()}")
        return {name: morsel.value for name, morsel in answer.cookies.items()}


def reading(host: str, path: str, **headers: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        *(f"{name}: {value}" for name, value in headers.items()),
    )
    return "\r\n".join((*lines, "\r\n")).encode()


def percentile(taken: list[float], share: float) -> float:
    """Milliseconds."""
    return sorted(taken)[int(len(taken) * share)] * 1000


def processes(stack: Settings) -> dict[str, list[psutil.Process]]:
    """Every part's processes, workers and backends with them."""
    found = {}
    for part in control.ask(stack.control_socket, command="status")["parts"]:
        if part["pid"]:
            process = psutil.Process(part["pid"])
            found[part["name"]] = [process, *process.children(recursive=True)]
    return found


def cpu_seconds(parts: Mapping[str, list[psutil.Process]]) -> dict[str, float]:
    """Of each part, and of this process, the load generator."""
    spent = {
        name: sum(cpu.seconds(process) for process in processes if process.is_running())
        for name, processes in parts.items()
    }
    own = resource.getrusage(resource.RUSAGE_SELF)
    spent[LOAD] = own.ru_utime + own.ru_stime
    return spent
