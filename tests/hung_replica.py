"""Two replicas behind one name, of which the first takes connections and never answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Replicas:
    """`resolve` is DNS that names the hung one first, as it may be for each new connection."""

    hung: str
    well: str
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The address of each request that came to one of them."""

    async def resolve(self, host: str, port: int) -> list[str]:
        return [self.hung, self.well]

    def at(self, address: str) -> Connected:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            self.asked.append(address)
            if address == self.hung:
                await reader.read()
            else:
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            writer.close()

        return serve


@asynccontextmanager
async def replicas(hung: str, well: str) -> AsyncIterator[Replicas]:
    """Both at one port of two loopback addresses, which no other test uses."""
    found = Replicas(hung, well)
    first = await asyncio.start_server(found.at(hung), hung, 0)
    found.port = first.sockets[0].getsockname()[1]
    second = await asyncio.start_server(found.at(well), well, found.port)
    async with first, second:
        yield found
