"""Where a Redis is and as whom to speak to it, out of the one line that a configuration has for it."""

import ssl
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec


class RedisAddress(msgspec.Struct, frozen=True):
    """`tls` is None for a connection in the clear."""

    host: str
    port: int
    database: int
    user: str | None
    password: str | None
    tls: ssl.SSLContext | None

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
    """`redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.

    The server's certificate is checked against the system's authorities, or those in the file `?ssl_ca_certs=`.
    Raises ValueError, whose message quotes nothing of the address: there may be a password in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("not a Redis address: expected redis://[user:password@]host:port/database")
    options = parse_qs(parts.query)
    try:
        port = parts.port or 6379
        database = int(options.get("db", [parts.path.strip("/")])[0] or 0)
    except ValueError:
        raise ValueError("not a Redis address: its port or database is no number") from None
    tls = ssl.create_default_context(cafile=options.get("ssl_ca_certs", [None])[0])
    return RedisAddress(
        host=parts.hostname,
        port=port,
        database=database,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls if parts.scheme == "rediss" else None,
    )
