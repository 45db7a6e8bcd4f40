"""Connects to PostgreSQL, where a host may be gone without a word and a name may be one that nobody answers for.

The driver tries several hosts in turn within one limit: a machine that answers nothing, not even a refusal, would use
all of it up, and the standby that has taken over would never be asked. The same holds for a name that nobody knows any
more, as that of a container which was stopped: asking for it may take seconds.
"""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

EACH_HOST_S = 0.8
"""For one of several hosts; a caller waits for a connection of the pool for 2 s."""

_lookups: dict[str, asyncio.Task[OSError | None]] = {}
"""By host, the lookup of its name that was begun last."""
_latest: dict[str, str] = {}
"""By URL, the host that was taken last: it is tried first."""


async def connect(dsn: str, **settings: Any) -> asyncpg.Connection:
    """As asyncpg.connect, which tells what it raises; with several hosts, that of the last one."""
    each_alone = alternatives(dsn)
    if len(each_alone) == 1:
        async with asyncio.timeout(settings.get("timeout")):
            await _until_known(dsn)
        return await asyncpg.connect(dsn, **settings)
    fault: Exception | None = None
    for one in sorted(each_alone, key=lambda one: one != _latest.get(dsn)):
        try:
            async with asyncio.timeout(EACH_HOST_S):
                await _until_known(one)
            connection = await asyncpg.connect(one, **{**settings, "timeout": EACH_HOST_S})
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError) as passed_by:
            fault = passed_by
        except asyncpg.OperatorInterventionError as passed_by:  # it starts, or stops
            fault = passed_by
        else:
            _latest[dsn] = one
            return connection
    assert fault is not None  # noqa: S101 - there are two hosts at least, and none was taken
    raise fault


async def _until_known(dsn: str) -> None:
    """Returns once the name of its only host is known. Raises ConnectionError where it is not.

    One lookup of a name at a time: each holds a thread, also after its caller has given up, and there are few. All of
    them held by the name of the host that is gone, no other name would be found: no other database's, nor Redis'.
    """
    parts = urlsplit(dsn)
    host, loop = parts.hostname or "", asyncio.get_running_loop()
    if not host or "%" in host or _is_address(host):  # none, a directory of a socket, or no name
        return
    lookup = _lookups.get(host)
    if lookup is None or lookup.done() or lookup.get_loop() is not loop:
        lookup = _lookups[host] = loop.create_task(_look_up(host, parts.port))
    fault = await asyncio.shield(lookup)
    if fault is not None:
        raise ConnectionError(f"{host}: {fault}")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _look_up(host: str, port: int | None) -> OSError | None:
    """What went wrong, if anything: handed on as a value, since nobody may be waiting for it any more."""
    try:
        await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as unknown:
        return unknown
    return None


def alternatives(dsn: str) -> list[str]:
    """The URL with each of its hosts alone, in their order."""
    parts = urlsplit(dsn)
    credentials, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{credentials}{at}{host}")) for host in hosts.split(",")]
