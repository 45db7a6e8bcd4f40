"""The way of a command to the server for it: the only one, the master that Sentinel names, or a cluster's node."""

from collections.abc import Callable
from typing import Any, Protocol

from common import redis_errors, redis_sentinel
from common.redis_address import RedisAddress
from common.redis_cluster import ClusterNodes, redirect
from common.redis_connection import Command, ConnectionLostError, NoAnswerError, RefusedError
from common.redis_node import RedisNode

MOST_REDIRECTS = 4


class Route(Protocol):
    async def send(self, command: Command, near: bytes | None, deadline: float) -> Any:
        """The answer, before `deadline` (the loop's time); what is lost with its connection is sent once more.

        Raises ConnectionLostError, NoAnswerError, RefusedError.
        """
        ...

    def look_again(self) -> None:
        """The next command finds out anew where to go, where that can change."""
        ...

    async def close(self) -> None: ...


class ToOneServer:
    def __init__(
        self, address: RedisAddress, timeout: float, client_name: str, changed: Callable[[], None]
    ) -> None:
        self._changes = bool(address.sentinel)

        async def find(deadline: float) -> RedisAddress:
            if not address.sentinel:
                return address
            return await redis_sentinel.master(address, client_name, deadline)

        self._node = RedisNode(find, timeout, client_name, changed)

    async def send(self, command: Command, near: bytes | None, deadline: float) -> Any:
        try:
            try:
                return await self._node.send(command, deadline)
            except ConnectionLostError:
                return await self._node.send(command, deadline)
        except RefusedError as error:
            state = redis_errors.state(str(error))
            if state is not None and state.code in redis_errors.MOVED_AWAY:
                # A failover left us with a replica: the next command looks the address up again.
                self._node.leave()
            raise

    def look_again(self) -> None:
        if self._changes:
            self._node.leave()

    async def close(self) -> None:
        await self._node.close()


class ThroughCluster:
    def __init__(
        self, address: RedisAddress, timeout: float, client_name: str, changed: Callable[[], None]
    ) -> None:
        self._nodes = ClusterNodes(address, timeout, client_name, changed)
        self._changed = changed

    async def send(self, command: Command, near: bytes | None, deadline: float) -> Any:
        key = near if near is not None else _key(command)
        door, node = await self._nodes.with_key(key, deadline)
        asking, lost = False, 0
        for _ in range(MOST_REDIRECTS):
            try:
                return await node.send(command, deadline, asking=asking)
            except ConnectionLostError:
                lost += 1
                if lost > 1:
                    raise
                self._nodes.look_again()
                door, node = await self._nodes.with_key(key, deadline)
                asking = False
            except NoAnswerError:
                self._nodes.look_again()
                raise
            except RefusedError as error:
                door, node, asking = self._followed(error, door, node)
        raise NoAnswerError("the nodes of the cluster send us from one to the other")

    def _followed(
        self, error: RefusedError, door: tuple[str, int], node: RedisNode
    ) -> tuple[Any, RedisNode, bool]:
        """Where the refusal sends us. Raises it again where it is none of the cluster's."""
        where = redirect(str(error), door)
        if where is None:
            state = redis_errors.state(str(error))
            if state is not None and (state.code in redis_errors.MOVED_AWAY or state.code == "CLUSTERDOWN"):
                self._nodes.look_again()
                node.leave()
            raise error
        target, once = where
        # Whoever counts on one server having given all answers begins again.
        self._changed()
        if not once:
            self._nodes.look_again()
        return target, self._nodes.at(target), once

    def look_again(self) -> None:
        self._nodes.look_again()

    async def close(self) -> None:
        await self._nodes.close()


def _key(command: Command) -> bytes:
    word = command[1] if len(command) > 1 else b""
    return word if isinstance(word, bytes) else b""
