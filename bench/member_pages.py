"""A page of members among many, against the read of one: `make up && make seed-load && python -m bench.member_pages`.

Straight at the member service of a running stack, as the demo administrator, over one connection: a page of each kind
in turn with the read of a single member, so that whatever else the machine does falls on both. Budget: a page's p99
within three times that of a single read. [ROUNDS], 500 unless told.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bench.figures import figure
from devstack.settings import read

BUDGET = 3.0
SINGLE = "one member"
DEEP = 25
"""Pages of 100 that are turned to come to the middle of the listing's first few thousand."""


async def main(rounds: int) -> None:
    stack = read(os.environ)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as client:
        credentials = {"email": "test@example.com", "password": "password123"}
        async with client.post(stack.url("AUTH_PORT") + "/api/auth/login", json=credentials) as answer:
            answer.raise_for_status()
            token = (await answer.json())["access_token"]
        members = _Members(client, stack.url("MEMBER_PORT"), token)
        paths = await members.paths()
        for path in paths.values():
            await members.get(path)
        taken: dict[str, list[float]] = {kind: [] for kind in paths}
        for _ in range(rounds):
            for kind in paths:
                for each in {SINGLE, kind}:
                    begun = time.perf_counter()
                    await members.get(paths[each])
                    taken[each].append(time.perf_counter() - begun)
    print("| read | p50, ms | p99, ms | p99 against one member |\n| --- | --- | --- | --- |")
    for line in _report(taken):
        print(line)


class _Members:
    def __init__(self, client: aiohttp.ClientSession, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Any:
        async with self._client.get(self._url + path, headers=self._headers) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body!r}")
            return await answer.json()

    async def paths(self) -> dict[str, str]:
        """What is measured. Ends the program where there are too few members to measure with."""
        first = await self.get(_page())
        page = await self.get(_page(limit=100))
        for _ in range(DEEP):
            if page["next_cursor"] is None:
                sys.exit("too few members: make seed-load first")
            page = await self.get(_page(limit=100, cursor=page["next_cursor"]))
        somebody = page["items"][0]
        return {
            SINGLE: f"/api/members/{somebody['id']}",
            "newest, first page": _page(),
            "newest, further on": _page(cursor=page["next_cursor"]),
            "oldest": _page(sort="created_at"),
            "by name": _page(sort="name"),
            "by e-mail, second page": _page(
                sort="email", cursor=(await self.get(_page(sort="email")))["next_cursor"]
            ),
            "of one grade": _page(grade=first["items"][0]["grade"]),
            "with consent": _page(marketing_consent="true"),
            "a prefix that many have": _page(q=somebody["name"][0]),
            "a prefix that one has": _page(q=somebody["email"]),
        }


def _page(**query: object) -> str:
    return "/api/members?" + urlencode(query) if query else "/api/members"


def _report(taken: dict[str, list[float]]) -> Iterator[str]:
    def percentile(kind: str, share: float) -> float:
        return sorted(taken[kind])[int(len(taken[kind]) * share)] * 1000

    single = percentile(SINGLE, 0.99)
    for kind in taken:
        ratio = percentile(kind, 0.99) / single
        figure(f"members, {kind}, p99 against one", ratio, "clock", budget=BUDGET)
        over = "" if ratio <= BUDGET else f" (budget {BUDGET:.0f}: missed)"
        yield f"| {kind} | {percentile(kind, 0.5):.2f} | {percentile(kind, 0.99):.2f} | {ratio:.1f}{over} |"


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
