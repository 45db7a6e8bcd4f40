"""Calls a plugin server as Kong 3.9 does (`kong/runloop/plugin_servers/rpc/pb_rpc.lua`, seen on a running Kong).

One connection a time for an event, from a pool; instances are started at first use; a connection that the server
closes makes the client start the instance again and repeat the event, as Kong does, here with a bound; after
`kong.response.exit` the connection is dropped.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from devstack.kongside.methods import METHODS, encode_result, exit_arguments
from kong.plugins.runtime.frames import frame
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.wire import bytes_field, integer_field, tagged, tagged_integer

Pdk: TypeAlias = Mapping[str, Callable[..., Any | Awaitable[Any]]]
"""What Kong would do, by the methods' names; of a tuple the first is the answer, as in Lua."""

MOST_REPEATS = 20


class PluginServerError(Exception):
    """Kong would answer this request with 500; the message says why."""


class _ClosedError(Exception):
    """The server closed the connection inside a call."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The phase returned: the request goes on."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The phase answered the client itself."""

    status: int
    body: bytes
    headers: Mapping[str, Value] = field(default_factory=dict)


class Wire:
    """One connection, in frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, socket: str) -> Wire:
        return cls(*await asyncio.open_unix_connection(socket))

    @property
    def reusable(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def read(self) -> bytes:
        """One frame's payload. Raises EOFError at the end of the stream."""
        length = int.from_bytes(await self._reader.readexactly(4), "little")
        return await self._reader.readexactly(length)

    async def write(self, *payloads: bytes) -> None:
        self._writer.write(b"".join(map(frame, payloads)))
        await self._writer.drain()

    async def write_raw(self, data: bytes) -> None:
        """Bytes that need not be frames."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


class PluginServerClient:
    """All of Kong's calls to one plugin server. Read timeout in seconds (Kong's `lua_socket_read_timeout`)."""

    def __init__(self, socket: str, read_timeout: float = 3.0) -> None:
        self._socket = socket
        self._read_timeout = read_timeout
        self._idle: list[Wire] = []
        self._instances: dict[str, asyncio.Task[int]] = {}
        self._sequence = 0

    async def handle_event(self, config: Mapping[str, Any], phase: str, pdk: Pdk) -> Finished | Exited:
        """Run a phase of the plugin for one request. Raises PluginServerError where Kong would answer 500."""
        name = self._name(config)
        for _ in range(MOST_REPEATS):
            try:
                instance = await self._instance(name, config)
                event = tagged_integer(1, instance) + tagged(2, phase.encode())
                return await self._call(36, event, pdk)
            except _ClosedError:
                self._instances.clear()
            except (OSError, TimeoutError) as error:
                raise PluginServerError(f"{type(error).__name__}: {error}") from error
        raise PluginServerError(f"the server closed the connection {MOST_REPEATS} times")

    async def start_instance(self, name: str, config: Mapping[str, Any]) -> int:
        """Start an instance and return its id. Raises PluginServerError if the server refuses it."""
        try:
            start = tagged(1, name.encode()) + tagged(2, json.dumps(config).encode())
            answer = await self._command(33, start)
        except (_ClosedError, OSError, TimeoutError) as error:
            raise PluginServerError(f"the instance was not started: {error!r}") from error
        return integer_field(bytes_field(answer, 33) or b"", 2) or 0

    async def close_instance(self, instance: int) -> None:
        await self._command(35, tagged_integer(1, instance))

    async def close(self) -> None:
        """Close the pooled connections."""
        while self._idle:
            self._idle.pop().close()

    async def _instance(self, name: str, config: Mapping[str, Any]) -> int:
        key = json.dumps(config, sort_keys=True)
        starting = self._instances.get(key)
        if starting is None:
            starting = self._instances[key] = asyncio.create_task(self.start_instance(name, config))
        try:
            return await asyncio.shield(starting)
        except PluginServerError:
            if self._instances.get(key) is starting:
                del self._instances[key]
            raise

    async def _command(self, field_number: int, command: bytes) -> bytes:
        """A command that asks nothing back; returns the RpcReturn."""
        wire = await self._connection()
        try:
            sequence = await self._send(wire, field_number, command)
            return await self._returned(wire, sequence)
        except BaseException:
            wire.close()
            raise

    async def _call(self, field_number: int, command: bytes, pdk: Pdk) -> Finished | Exited:
        wire = await self._connection()
        try:
            sequence = await self._send(wire, field_number, command)
            while method := (await self._read(wire)).decode():
                argument = await self._read(wire)
                if method == "kong.response.exit":
                    wire.close()
                    return Exited(*exit_arguments(argument))
                await wire.write(await self._pdk_call(pdk, method, argument))
            await self._returned(wire, sequence)
        except BaseException:
            wire.close()
            raise
        return Finished()

    async def _pdk_call(self, pdk: Pdk, method: str, argument: bytes) -> bytes:
        if method not in pdk or method not in METHODS:
            raise PluginServerError(f'method "{method}" not found')
        result = pdk[method](*METHODS[method][0](argument))
        if inspect.isawaitable(result):
            result = await result
        return encode_result(method, result[0] if isinstance(result, tuple) else result)

    async def _send(self, wire: Wire, field_number: int, command: bytes) -> int:
        self._sequence += 1
        try:
            await wire.write(tagged_integer(1, self._sequence) + tagged(field_number, command))
        except ConnectionError:
            raise _ClosedError from None
        return self._sequence

    async def _returned(self, wire: Wire, sequence: int) -> bytes:
        answer = await self._read(wire)
        if (integer_field(answer, 1) or 0) != sequence:
            raise PluginServerError("an answer to another call")
        self._idle.append(wire)
        return answer

    async def _read(self, wire: Wire) -> bytes:
        try:
            return await asyncio.wait_for(wire.read(), self._read_timeout)
        except (EOFError, ConnectionError):
            raise _ClosedError from None

    async def _connection(self) -> Wire:
        while self._idle:
            wire = self._idle.pop()
            if wire.reusable:
                return wire
            wire.close()
        return await Wire.connect(self._socket)

    @staticmethod
    def _name(config: Mapping[str, Any]) -> str:
        """The plugin's name, from the key that Kong gives each configuration: `plugins:NAME:...`."""
        return str(config["__key__"]).split(":")[1]


def kong_config(name: str, own: Mapping[str, Any], attached_to: str = "route-1") -> dict[str, Any]:
    """A plugin's configuration with the keys that Kong adds."""
    return {
        "__key__": f"plugins:{name}:{attached_to}::::",
        "__plugin_id": f"plugin-on-{attached_to}",
        "__seq__": 2,
        "route_id": attached_to,
        **own,
    }
