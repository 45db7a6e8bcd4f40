"""Development only: passes ports of this machine on to containers that publish none themselves.

Services and stores sit on internal networks, through which Docker publishes nothing; and a port of this
machine belongs to one container, while a service may have several. So one container takes the ports,
and resolves the name anew for each connection. It listens on the address that its door has, and on none of those that
the networks behind know it by: through it they would reach each other. Usage: loopback.py ADDRESS 4000=auth:4000 ...
"""

import asyncio
import signal
import sys
from functools import partial

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 3.0


async def main(address: str, mappings: list[str]) -> None:
    """Forwards until SIGTERM. Raises OSError where a port is taken, ValueError for a mapping that is none."""
    for mapping in mappings:
        port, target = mapping.split("=")
        host, target_port = target.split(":")
        await asyncio.start_server(partial(forward, host, int(target_port)), address, int(port))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


async def forward(host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until both sides have ended; closed at once where `host` does not answer."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        writer.close()
        return
    try:
        async with asyncio.TaskGroup() as both_ways:
            both_ways.create_task(_copy(reader, far_writer))
            both_ways.create_task(_copy(far_reader, writer))
    except* OSError:
        pass  # a side that broke off: the other is told by its connection closing
    finally:
        writer.close()
        far_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK_BYTES):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
