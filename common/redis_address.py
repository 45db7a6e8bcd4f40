"""Says where a Redis is and as whom to speak to it, read from its URL in one way for services and plugins."""

import ssl

import msgspec

from common import address

SCHEMES = ("redis", "rediss")
OPTIONS = ("db", "ssl_ca_certs")


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
    """Reads `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.

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
        raise ValueError(f"not a Redis address: its options may be {' and '.join(OPTIONS)} alone")
    if read.user is not None and read.password is None:
        raise ValueError("not a Redis address: it names a user and has no password")
    database = read.options.get("db") or read.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        raise ValueError("not a Redis address: its database is no number")
    return RedisAddress(
        host=read.host,
        port=read.port or 6379,
        database=int(database),
        user=read.user,
        password=read.password or None,
        tls=_tls(read.options.get("ssl_ca_certs")) if read.scheme == "rediss" else None,
    )


def _tls(authorities: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise ValueError("not a Redis address: ssl_ca_certs names a file without certificates") from None
