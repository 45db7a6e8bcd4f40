"""One connection to Redis, shared by all who have a command: sent at once, answered in order, each with a deadline.

Redis answers a connection's commands in the order in which they came, so nobody needs a connection of their own, and
what comes belongs to the one who has waited longest. Parsing and packing are hiredis'. A command costs a third of what
coredis' connection, with its tasks and in-memory streams, takes for it (docs/decisions/0005-redis-of-the-plugins.md).
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import asyncio
import ssl
from collections import deque
from typing import Any, Self, cast

import hiredis

from common.redis_address import RedisAddress

Command = tuple[bytes | int, ...]


class ConnectionLostError(Exception):
    """The connection ended before the answer came; Redis may have carried the command out."""


class NoAnswerError(Exception):
    """There was no answer before the deadline; Redis may yet carry the command out."""


class RefusedError(Exception):
    """Redis answered with an error; the message is Redis' own."""


class _Waiting:
    __slots__ = ("answer", "deadline")

    def __init__(self, answer: asyncio.Future[Any], deadline: float) -> None:
        self.answer = answer
        self.deadline = deadline


class RedisConnection(asyncio.Protocol):
    """Open it with `open`. Usable until `lost`, and never again after."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._waiting: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self.lost = False

    @classmethod
    async def open(cls, address: RedisAddress, client_name: str, deadline: float) -> Self:
        """A connection that Redis has welcomed, before `deadline` (the loop's time).

        Raises OSError, NoAnswerError, ConnectionLostError, RefusedError.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                _, connection = await loop.create_connection(
                    cls, address.host, address.port, ssl=cast("ssl.SSLContext", address.tls)
                )
        except TimeoutError:
            raise NoAnswerError("no connection in time") from None
        try:
            await asyncio.gather(
                *(connection.send(command, deadline) for command in address.greeting(client_name))
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def send(self, command: Command, deadline: float) -> asyncio.Future[Any]:
        """The answer to come: bytes, int, None or a list of these.

        Fails with ConnectionLostError, NoAnswerError after `deadline` (the loop's time), RefusedError. Who gives the
        wait up cancels the future; the command is on its way all the same.
        """
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.lost:
            answer.set_exception(ConnectionLostError("not connected"))
            return answer
        self._waiting.append(_Waiting(answer, deadline))
        if self._timer is None or deadline < self._timer.when():
            self._wake_at(deadline)
        self._transport.write(
            hiredis.pack_command(cast(Any, command))
        )  # its stub knows one-word commands only
        return answer

    def close(self) -> None:
        """End it now; who still waits is told that it is lost."""
        self._fail(ConnectionLostError("closed"))

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                self._answered(answer)
        except (hiredis.ProtocolError, IndexError):
            self._fail(ConnectionLostError("Redis does not speak its protocol"))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionLostError(str(error or "the connection was closed")))

    # Ends.

    def _answered(self, answer: Any) -> None:
        waiting = self._waiting.popleft().answer
        if waiting.done():
            return  # given up by the one who waited
        if isinstance(answer, hiredis.ReplyError):
            waiting.set_exception(RefusedError(str(answer)))
        else:
            waiting.set_result(answer)

    def _wake_at(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        """Redis hangs: what it answers from now on would come too late, so all of it is left behind."""
        self._timer = None
        if not self._waiting:
            return
        now = self._loop.time()
        earliest = min(one.deadline for one in self._waiting)
        if earliest > now:
            self._wake_at(earliest)
            return
        for one in self._waiting:
            if one.deadline <= now and not one.answer.done():
                one.answer.set_exception(NoAnswerError("Redis did not answer in time"))
        self._fail(ConnectionLostError("Redis hangs"))

    def _fail(self, error: ConnectionLostError) -> None:
        if self.lost:
            return
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.answer.done():
                one.answer.set_exception(error)
