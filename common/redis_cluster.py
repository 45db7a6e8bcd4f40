"""Which node of a Redis Cluster has a key: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/"""

import asyncio
from binascii import crc_hqx
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from common.redis_address import Endpoint, RedisAddress
from common.redis_connection import NoAnswerError
from common.redis_discovery import first_answer
from common.redis_node import RECONNECT_PAUSE, RedisNode

SLOTS = 16384


def tag(key: bytes) -> bytes:
    """What of a key decides on its slot: what stands in its first braces, or all of it."""
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key


def slot(key: bytes) -> int:
    return crc_hqx(tag(key), 0) % SLOTS


class SlotMap:
    """Who has which slot, as a node tells it."""

    def __init__(self, ranges: Iterable[tuple[int, int, Endpoint]]) -> None:
        self._ranges = sorted(ranges)
        self._firsts = [first for first, _, _ in self._ranges]

    @property
    def nodes(self) -> set[Endpoint]:
        return {endpoint for _, _, endpoint in self._ranges}

    def owner(self, number: int) -> Endpoint | None:
        at = bisect_right(self._firsts, number) - 1
        if at < 0 or self._ranges[at][1] < number:
            return None
        return self._ranges[at][2]


def slots(answer: Sequence[Any], asked: Endpoint) -> SlotMap:
    """CLUSTER SLOTS' answer. A node that does not know its own name is the one that was asked."""
    return SlotMap(
        (first, last, ((master[0] or b"").decode() or asked[0], master[1]))
        for first, last, master, *_ in answer
    )


def redirect(refusal: str, at: Endpoint) -> tuple[Endpoint, bool] | None:
    """Where a refusal by the node `at` sends us, and whether it does so once only (ASK); None where it does not."""
    kind, *rest = refusal.split(" ")
    if kind not in {"MOVED", "ASK"} or len(rest) != 2:
        return None
    host, _, port = rest[1].rpartition(":")
    return (host or at[0], int(port)), kind == "ASK"


class ClusterNodes:
    """The nodes of one cluster, and which of them has a key."""

    def __init__(
        self, address: RedisAddress, timeout: float, client_name: str, changed: Callable[[], None]
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._client_name = client_name
        self._changed = changed
        self._nodes: dict[Endpoint, RedisNode] = {}
        self._map: SlotMap | None = None
        self._stale = False
        self._looked = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def with_key(self, key: bytes, deadline: float) -> tuple[Endpoint, RedisNode]:
        """Raises NoAnswerError where no node can be found before `deadline` (the loop's time)."""
        now = asyncio.get_running_loop().time()
        if self._map is None or (self._stale and now - self._looked > RECONNECT_PAUSE):
            await self._look(deadline)
        owner = None if self._map is None else self._map.owner(slot(key))
        if owner is None:
            raise NoAnswerError("no node of the cluster has this key's slot")
        return owner, self.at(owner)

    def at(self, endpoint: Endpoint) -> RedisNode:
        node = self._nodes.get(endpoint)
        if node is None:

            async def find(_: float) -> RedisAddress:
                return self._address.of(endpoint)

            node = self._nodes[endpoint] = RedisNode(find, self._timeout, self._client_name, self._changed)
        return node

    def look_again(self) -> None:
        """Before the next command: something is not where it was."""
        self._stale = True

    async def close(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait({looking})
        nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            await node.close()

    async def _look(self, deadline: float) -> None:
        """Joins the look under way. What was known stays where nobody answers."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask_for_slots(), name="redis-cluster-slots")
            self._looking.add_done_callback(_forget)
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.shield(self._looking)
        except TimeoutError:
            raise NoAnswerError("no node of the cluster answered in time") from None
        except NoAnswerError:
            if self._map is None:
                raise

    async def _ask_for_slots(self) -> None:
        loop = asyncio.get_running_loop()
        self._looked = loop.time()
        known = self._map.nodes if self._map else set()
        endpoints = dict.fromkeys((*self._address.endpoints, *known))
        asked, answer = await first_answer(
            map(self._address.of, endpoints),
            (b"CLUSTER", b"SLOTS"),
            self._client_name,
            loop.time() + self._timeout,
        )
        former, self._map, self._stale = known, slots(answer, asked), False
        self._changed()
        for endpoint in former - self._map.nodes:
            if (gone := self._nodes.pop(endpoint, None)) is not None:
                gone.leave()


def _forget(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
