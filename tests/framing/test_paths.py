"""Each hop and each pair of hops: nothing of a body becomes a request, and nobody gets another's answer.

What is sent, as the first hop reads it, is exactly what the last hop is asked. FRAMING_ATTACKS says how many framings
are sent on each path (`make storm-framing`); else each of the corpus once.
"""

import asyncio
import os
import random
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.framing.corpus import CASES, HIDDEN, HOST, NGINX, Case, read_by_nginx
from tests.framing.paths import GATEWAYS, INSTALLED, PATHS, path
from tests.framing.wire import Recorder
from tests.waiting import WITHIN

ATTACKS = int(os.environ.get("FRAMING_ATTACKS", "0"))
ATTACKERS = 16
VICTIMS = 4
_SERVED = re.compile(rb"(?im)^x-target: (\S+)")
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")

on_each_path = pytest.mark.parametrize(
    "hops",
    [
        pytest.param(
            hops,
            marks=pytest.mark.skipif("Kong" in hops and not INSTALLED, reason="there is no kong on the PATH"),
        )
        for hops in PATHS
    ],
)


class Outcome(NamedTuple):
    """`answered`: the targets of the service's answers. `closed`: the connection ended."""

    answered: list[str]
    closed: bool


async def attack(port: int, case: Case, cut: int) -> Outcome:
    """Sends a case in two pieces; what came back until all its requests are answered, or the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer, closed = b"", False
    try:
        writer.write(case.raw[:cut])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(case.raw[cut:])
        async with asyncio.timeout(60):
            while case.ends or len(_SERVED.findall(answer)) < len(case.reads):
                piece = await reader.read(65536)
                if not piece:
                    closed = True
                    break
                answer += piece
    except ConnectionError:
        closed = True
    finally:
        writer.close()
    return Outcome([target.decode() for target in _SERVED.findall(answer)], closed)


def judged(case: Case, outcome: Outcome) -> str | None:
    """What is wrong with an outcome."""
    expected = [target for _, target, _ in case.reads]
    if case.name == "head with HTTP/0.9":
        expected = []  # its answer has no headers
    if outcome.answered != expected or outcome.closed != case.ends:
        return f"{case.name}: {outcome}, not {expected}"
    return None


async def victim(port: int, number: int, stop: asyncio.Event) -> tuple[int, list[bytes]]:
    """Requests sent on kept connections, and the answers that were not theirs."""
    wrong, count = [], 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not stop.is_set() or not count:
        target = b"/api/victim-%d-%d" % (number, count)
        count += 1
        writer.write(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
        if body != target:
            wrong.append(head + body)
        if b"connection: close" in head.lower():  # nginx, after a thousand requests
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.001)  # the attackers' turn: all share this process
    writer.close()
    return count, wrong


async def test_a_path_that_ends_leaves_no_connection_open(tmp_path: Path) -> None:
    async with path("front service", Recorder(), tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/x HTTP/1.1\r\n" + HOST + b"\r\n")
        async with asyncio.timeout(WITHIN):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len("/api/x"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert reader.at_eof() or reader.exception() is not None
    writer.close()


def cases_for(hops: str) -> tuple[list[Case], list[Case]]:
    """The corpus as the first hop reads it, and upgrades whose body takes several reads (how the fault was found)."""
    sizes = (10_000, 25_000) if hops == "front auth" else (50_000, 200_000)
    large = [
        case._replace(
            raw=case.raw.replace(b"%d\r\n" % len(HIDDEN), b"%d\r\n" % len(lines + HIDDEN), 1).replace(
                HIDDEN, lines + HIDDEN, 1
            ),
            reads=(("POST", "/api/x", lines + HIDDEN), *case.reads[1:]),
        )
        for case in CASES
        if case.name.startswith("upgrade") and case.name.endswith(", length")
        for lines in (b"\r\n" * size for size in sizes)
    ]
    every = list(CASES)
    if hops.split(maxsplit=1)[0].partition("+")[0] in GATEWAYS:
        every = [read_by_nginx(case) for case in every]
    assert NGINX.keys() <= {case.name for case in CASES}
    if hops == "front auth":
        every, large = ([_of_a_session(case) for case in cases] for cases in (every, large))
    return every, large


def _of_a_session(case: Case) -> Case:
    reads = tuple(
        (method, "/api/auth/login" if (method, target) == ("POST", "/api/x") else target, body)
        for method, target, body in case.reads
    )
    return case._replace(raw=case.raw.replace(b"POST /api/x ", b"POST /api/auth/login "), reads=reads)


@on_each_path
@pytest.mark.timeout(3600 if ATTACKS else 300)
async def test_no_body_becomes_a_request_and_no_answer_goes_astray(hops: str, tmp_path: Path) -> None:
    recorder, chance = Recorder(), random.Random(2616)
    every, large = cases_for(hops)
    attacks = [*every, *large]
    while len(attacks) < ATTACKS:
        attacks.append(chance.choice(every if len(attacks) % 50 else large))
    sent = sorted(read for case in attacks for read in case.reads)
    faults: list[str] = []
    async with path(hops, recorder, tmp_path) as port:
        stop = asyncio.Event()
        victims = [asyncio.create_task(victim(port, number, stop)) for number in range(VICTIMS)]

        async def attacker() -> None:
            while attacks:
                case = attacks.pop()
                fault = judged(case, await attack(port, case, chance.randrange(len(case.raw))))
                if fault:
                    faults.append(fault)

        count = len(attacks)
        try:
            await asyncio.gather(*(attacker() for _ in range(ATTACKERS)))
        finally:
            stop.set()
        outcomes = await asyncio.gather(*victims)
    # Not under /api: a health check of another test's, whose port this was before.
    reads = [read for read in recorder.reads if read[1].startswith("/api/")]
    asked = sorted(read for read in reads if not read[1].startswith("/api/victim-"))
    of_victims = len(reads) - len(asked)
    print(
        f"{hops}: {count} attacks of {len(sent)} requests, {sum(n for n, _ in outcomes)} of victims;"
        f" at the service {len(asked)} and {of_victims}"
    )
    assert [wrong for _, wrongs in outcomes for wrong in wrongs] == [], "an answer in other hands"
    assert faults == []
    assert asked == sent, "the service was asked for something else"
    assert of_victims == sum(count for count, _ in outcomes)
