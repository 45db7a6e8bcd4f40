"""How a command reaches the running supervisor: one JSON line each way over a Unix socket of the owner's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.errors import DevstackError, NotRunningError
from devstack.supervisor import Supervisor

REQUEST_LIMIT = 4096  # bytes
ANSWER_DEADLINE = 120.0  # seconds; a restart takes as long as the part's own start


async def serve(supervisor: Supervisor, path: Path) -> asyncio.Server:
    """Answer commands at `path` until the server is closed; a socket that is there already is replaced."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            answer = await _answer(supervisor, line)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            return  # a client that went away, or never was one
        finally:
            writer.close()

    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(connected, str(path), limit=REQUEST_LIMIT)
    finally:
        os.umask(mask)


def ask(path: Path, **request: str) -> dict[str, Any]:
    """Send one command. Raises NotRunningError without a supervisor, DevstackError if it refuses."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_DEADLINE)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile().readline()
    except (FileNotFoundError, ConnectionError):
        raise NotRunningError("the stack is not running") from None
    except PermissionError:
        raise DevstackError(f"the stack is another user's: {path} is not for this one") from None
    if not line:
        raise NotRunningError("the stack stopped before it answered")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise DevstackError(answer["error"])
    return answer


async def _answer(supervisor: Supervisor, line: bytes) -> Mapping[str, Any]:
    request = json.loads(line)
    try:
        match request:
            case {"command": "status"}:
                return {"up": supervisor.up, "stopping": supervisor.stopping, "parts": supervisor.status()}
            case {"command": "down"}:
                supervisor.ask_to_stop()
            case {"command": "restart", "name": str(name)}:
                return {"done": True, "said": await supervisor.restart(name)}
            case {"command": "stop", "name": str(name)}:
                await supervisor.stop_one(name)
            case {"command": "kill", "name": str(name), "signal": str(number)}:
                supervisor.kill(name, signal.Signals[number])
            case _:
                return {"error": f"no such command: {request}"}
    except (DevstackError, KeyError) as error:
        return {"error": str(error)}
    return {"done": True}
