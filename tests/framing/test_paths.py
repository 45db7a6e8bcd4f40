"""Each hop and each pair of hops: nothing of a body becomes a request, and nobody gets another's answer.

FRAMING_ATTACKS says how many framings are sent on each path; else each of the corpus once.
"""

import asyncio
import os
import random
import re
from pathlib import Path

import pytest

from tests.framing.corpus import CASES, HOST, Case
from tests.framing.paths import PATHS, path
from tests.framing.wire import Recorder, statuses

ATTACKS = int(os.environ.get("FRAMING_ATTACKS", str(len(CASES))))
ATTACKERS = 16
_LINES = b"\r\n" * 60_000
NEXT = b"/api/next"  # its answer may come after the attacker has left
_SERVED = re.compile(rb"(?im)^x-target: (\S+)")


async def _attack(port: int, case: Case, cut: int) -> bytes:
    """All that comes back, until the connection ends or says nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(case.raw[:cut])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(case.raw[cut:])
        while len(statuses(answer)) < len(case.reads) + case.ends:
            piece = await asyncio.wait_for(reader.read(65536), 2)
            if not piece:
                break
            answer += piece
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return answer


async def _victim(port: int, number: int, stop: asyncio.Event) -> tuple[int, list[bytes]]:
    """Requests served, and answers that were another's."""
    served, wrong, count = 0, [], 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not stop.is_set() or not count:
        target = b"/api/victim-%d-%d" % (number, count)
        count += 1
        try:
            writer.write(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        served += 1
        if body != target:
            wrong.append(head + body)
        await asyncio.sleep(0)
    writer.close()
    return served, wrong


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("hops", PATHS)
async def test_no_body_becomes_a_request_and_no_answer_goes_astray(hops: str, tmp_path: Path) -> None:
    recorder, chance = Recorder(), random.Random(2616)
    # What was found through Kong: a body of more than one read.
    large = [
        case._replace(
            raw=case.raw.replace(b"%d\r\n" % len(body), b"%d\r\n" % (len(body) + len(_LINES)), 1).replace(
                body, _LINES + body, 1
            )
        )
        for case in CASES
        if case.name.startswith("upgrade") and case.name.endswith(", length")
        for body in [case.reads[0][2]]
    ]
    attacks = [*CASES, *large]
    while len(attacks) < ATTACKS:
        attacks.append(chance.choice(CASES if len(attacks) % 50 else large))
    answered = 0
    async with path(hops, recorder, tmp_path) as port:
        stop = asyncio.Event()
        victims = [asyncio.create_task(_victim(port, number, stop)) for number in range(4)]

        async def attacker() -> int:
            found = 0
            while attacks:
                case = attacks.pop()
                answer = await _attack(port, case, chance.randrange(len(case.raw)))
                assert b"/api/hidden" not in _SERVED.findall(answer), case.name
                found += sum(target != NEXT for target in _SERVED.findall(answer))
            return found

        answered = sum(await asyncio.gather(*(attacker() for _ in range(ATTACKERS))))
        stop.set()
        outcomes = await asyncio.gather(*victims)
    targets = [target for _, target, _ in recorder.reads]
    assert "/api/hidden" not in targets, "a body was taken for a request"
    assert [wrong for _, wrongs in outcomes for wrong in wrongs] == []
    served = sum(count for count, _ in outcomes)
    print(
        f"{hops}: {answered} attackers' and {served} victims' requests answered, {len(targets)} at the service"
    )
    assert sum(target != NEXT.decode() for target in targets) == answered + served
