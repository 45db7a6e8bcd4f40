"""Says where a Redis is and as whom to speak to it, read from its URL in one way for services and plugins."""

import ssl
from typing import Self
from urllib.parse import urlsplit

import msgspec

from common import address

SCHEMES = ("redis", "rediss")
OPTIONS = ("db", "ssl_ca_certs", "sentinel", "cluster", "also")


Endpoint = tuple[str, int]
"""Host and port."""


class RedisAddress(msgspec.Struct, frozen=True):
    """`tls` is None for a connection in the clear.

    With `sentinel` (the master's name) host and port are a Sentinel's, with `cluster` those of a node; `also` are more.
    """

    host: str
    port: int
    database: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None
    sentinel: str = ""
    cluster: bool = False
    also: tuple[Endpoint, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where to ask which server to use; the server itself, where there is one only."""
        return ((self.host, self.port), *self.also)

    def of(self, endpoint: Endpoint) -> Self:
        """The server there, spoken to as the same user."""
        return msgspec.structs.replace(
            self, host=endpoint[0], port=endpoint[1], sentinel="", cluster=False, also=()
        )

    def greeting(self, client_name: str) -> list[tuple[bytes | int, ...]]:
        """The commands that a new connection begins with."""
        commands: list[tuple[bytes | int, ...]] = []
        if self.password is not None:
            user = (self.user.encode(),) if self.user else ()
            commands.append((b"AUTH", *user, self.password.encode()))
        commands.append((b"CLIENT", b"SETNAME", client_name.encode()))
        if self.database:
            commands.append((b"SELECT", self.database))
        return commands


def parse(url: str) -> RedisAddress:
    """Reads `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.

    `?sentinel=NAME`: the host is a Sentinel's, which is asked for the master of that name. `?cluster=true`: it is a
    node of a Redis Cluster. `&also=host:port,host:port` are more of the same kind, asked where one does not answer.

    The server's certificate is checked against the system's authorities, or those in the file `?ssl_ca_certs=`, and its
    name against the host. Raises ValueError, whose message quotes nothing of the URL, and OSError for a file of
    authorities that cannot be read.
    """
    try:
        read = address.parse(url, SCHEMES)
    except ValueError as fault:
        raise ValueError(f"not a Redis address: {fault}") from None
    if set(read.options) - set(OPTIONS):
        # Another library's ssl_cert_reqs=none would be left out in silence otherwise.
        raise ValueError(f"not a Redis address: its options may be {', '.join(OPTIONS)} alone")
    sentinel, cluster = read.options.get("sentinel", ""), read.options.get("cluster", "false")
    if cluster not in {"true", "false"} or (sentinel and cluster == "true"):
        raise ValueError("not a Redis address: cluster is true or false, and no cluster has a sentinel")
    if read.user is not None and read.password is None:
        raise ValueError("not a Redis address: it names a user and has no password")
    database = read.options.get("db") or read.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        raise ValueError("not a Redis address: its database is no number")
    if cluster == "true" and int(database):
        raise ValueError("not a Redis address: a cluster has database 0 alone")
    usual = 26379 if sentinel else 6379
    return RedisAddress(
        host=read.host,
        port=read.port or usual,
        database=int(database),
        user=read.user,
        password=read.password or None,
        tls=_tls(read.options.get("ssl_ca_certs")) if read.scheme == "rediss" else None,
        sentinel=sentinel,
        cluster=cluster == "true",
        also=_also(read.options.get("also", ""), usual),
    )


def _also(text: str, usual: int) -> tuple[Endpoint, ...]:
    found = []
    for part in filter(None, text.split(",")):
        try:
            one = urlsplit(f"//{part}")
            found.append((one.hostname or "", one.port or usual))
        except ValueError:
            raise ValueError("not a Redis address: also is a list of host:port") from None
    if not all(host for host, _ in found):
        raise ValueError("not a Redis address: also is a list of host:port")
    return tuple(found)


def _tls(authorities: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise ValueError("not a Redis address: ssl_ca_certs names a file without certificates") from None
