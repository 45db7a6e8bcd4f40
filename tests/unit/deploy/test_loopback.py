"""Development's forwarder answers on the address that it was given, and on no other of the same machine."""

import asyncio
import socket
import sys

import pytest

from devstack.throwaway import free_ports
from tests.unit.project.compose_files import ROOT
from tests.waiting import WITHIN


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without setting it up")
async def test_it_listens_on_its_own_door_alone() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    port, target = free_ports(2)
    behind = await asyncio.start_server(greet, "127.0.0.1", target)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "deploy" / "loopback.py"), "127.0.0.2", f"{port}=127.0.0.1:{target}"
    )
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.2", port)
                    break
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
            assert await reader.read() == b"hello"
            writer.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
    finally:
        process.terminate()
        await process.wait()
        behind.close()
