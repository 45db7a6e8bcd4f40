"""A fixed piece of work, for comparing CPU of two machines, or of one that is slower now and then.

What a request is made of: JSON in and out, a hash, dictionaries, and turns of an event loop. No code of the project, so
that it changes with the machine and the interpreter alone.
"""

import asyncio
import hashlib
import json
import statistics
import time

ROUNDS = 9
TURNS = 400
DOCUMENT = {"items": [{"id": number, "name": f"product {number}", "price": 12_000} for number in range(20)]}


async def _work() -> None:
    for _ in range(TURNS):
        text = json.dumps(DOCUMENT)
        read = json.loads(text)
        {item["id"]: hashlib.sha256(item["name"].encode()).digest() for item in read["items"]}
        await asyncio.sleep(0)


def measure() -> float:
    """CPU microseconds of one turn; the median of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        before = time.process_time()
        asyncio.run(_work())
        taken.append((time.process_time() - before) / TURNS * 1e6)
    return statistics.median(taken)
