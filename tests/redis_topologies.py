"""Redis as operators offer it, as processes of this machine: behind TLS, behind Sentinel, as a cluster of three.

Sentinel and cluster run on the wheel's binary. TLS needs one that was built with it: Debian's, from `redis-tools`.
"""

import contextlib
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hiredis
import pytest

from devstack import throwaway
from devstack.redis import binary
from tests.private_authority import Authority

PASSWORD = "secret"
MASTER = "gatehouse"
KINDS = ("tls", "sentinel", "cluster", "cluster over tls")
FAILOVER_MS = 1000


class Server:
    """One process of Redis, or of a Sentinel."""

    def __init__(
        self, directory: Path, port: int, lines: Sequence[str], *options: str, tls: Authority | None = None
    ) -> None:
        self.port = port
        self.tls = tls
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True)
        where = [f"port {port}"] if tls is None else _tls_lines(tls, port)
        base = ["bind 127.0.0.1", *where, f"dir {directory}", 'save ""', "daemonize no"]
        self._file = directory / "redis.conf"
        self._file.write_text("\n".join([*base, *lines]) + "\n", encoding="utf-8")

    def start(self) -> None:
        program = binary() if self.tls is None else with_tls()
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", str(self._file), *self._options], executable=program, stdout=log, stderr=log
            )
        until(self.answers, self.log)

    def answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, self.log()
        try:
            return self("PING") is not None
        except OSError:
            return False
        except hiredis.ReplyError as error:
            if not str(error).startswith("LOADING"):  # what a replica has just got from its master
                raise
            return False

    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __call__(self, *words: str | int) -> Any:
        """The answer to one command, on a connection of its own. Raises hiredis.ReplyError."""
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=5))
            if self.tls is not None:
                connection = stack.enter_context(
                    self.tls.context().wrap_socket(connection, server_hostname="127.0.0.1")
                )
            reader = hiredis.Reader()
            answer: Any = None
            greeting = [] if self._options else [["AUTH", PASSWORD]]  # a Sentinel has no password
            for command in (*greeting, [str(word) for word in words]):
                packed: Any = tuple(command)
                connection.sendall(hiredis.pack_command(packed))
                while (answer := reader.gets()) is False:
                    received = connection.recv(65536)
                    if not received:
                        raise ConnectionError("closed")
                    reader.feed(received)
            if isinstance(answer, Exception):
                raise answer
            return answer


def _tls_lines(authority: Authority, port: int) -> list[str]:
    """TLS alone, for clients, replicas and the cluster's bus."""
    return [
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {authority.certificate}",
        f"tls-key-file {authority.key}",
        f"tls-ca-cert-file {authority.file}",
        "tls-auth-clients no",
        "tls-replication yes",
        "tls-cluster yes",
    ]


def with_tls() -> str:
    """A Redis that was built with TLS. Debian's redis-tools has the server under another name, and starts nothing."""
    for name in ("redis-server", "redis-check-rdb"):
        if (found := shutil.which(name)) is not None and b"tls-port" in Path(found).read_bytes():
            return found
    pytest.skip("no Redis with TLS on this machine: apt-get install redis-tools")


def until(holds: Callable[[], Any], log: Callable[[], str] = str, within: float = 60.0) -> None:
    give_up = time.monotonic() + within
    while not holds():
        assert time.monotonic() < give_up, log()
        time.sleep(0.02)


class Topology:
    """`servers` are those with data."""

    def __init__(self, url: str, servers: list[Server], others: list[Server]) -> None:
        self._url = url
        self.servers = servers
        self._others = others

    def url(self) -> str:
        """What a process is given."""
        return self._url

    def masters(self) -> list[Server]:
        return [server for server in self.servers if server.answers() and server("ROLE")[0] == b"master"]

    def flush(self) -> None:
        for server in self.masters():
            server("FLUSHALL")
            server("SCRIPT", "FLUSH")

    def with_users(self, rules: Sequence[Sequence[str]]) -> None:
        """Users as deploy/redis/users.acl has them, each with its name as the password, on every server."""
        for server in self.servers:
            for name, *granted in rules:
                server(
                    "ACL",
                    "SETUSER",
                    name,
                    "reset",
                    *(f">{name}" if rule.startswith("#") else rule for rule in granted),
                )

    def stop(self) -> None:
        for server in (*self._others, *self.servers):
            server.kill()


def ports(count: int) -> list[int]:
    """Free ones that are free 10,000 higher too, where the cluster's bus is."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20000, 30000)
        with socket.socket() as one, socket.socket() as bus, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10000))
            if port not in found:
                found.append(port)
    return found


def _data(directory: Path, name: str, port: int, *lines: str, tls: Authority | None = None) -> Server:
    own = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "appendonly yes", *lines]
    return Server(directory / name, port, own, tls=tls)


def tls(directory: Path) -> Topology:
    authority = Authority(directory)
    (port,) = ports(1)
    server = _data(directory, "redis", port, tls=authority)
    return Topology(f"rediss://:{PASSWORD}@localhost:{port}/0?ssl_ca_certs={authority.file}", [server], [])


def sentinel(directory: Path) -> Topology:
    """A master, two replicas, and three Sentinels of which two must agree."""
    first, *others = ports(6)
    replicas, watchers = others[:2], others[2:]
    # Without a replica to write to it takes no writes: a master that was cut off acknowledges nothing.
    kept = (
        "min-replicas-to-write 1",
        "min-replicas-max-lag 2",
        "repl-ping-replica-period 1",
        "repl-diskless-sync-delay 0",
    )
    servers = [_data(directory, "redis-0", first, *kept)]
    servers += [
        _data(directory, f"redis-{n}", port, *kept, f"replicaof 127.0.0.1 {first}")
        for n, port in enumerate(replicas, 1)
    ]
    watching = [
        f"sentinel monitor {MASTER} 127.0.0.1 {first} 2",
        f"sentinel auth-pass {MASTER} {PASSWORD}",
        f"sentinel down-after-milliseconds {MASTER} {FAILOVER_MS}",
        f"sentinel failover-timeout {MASTER} 10000",
    ]
    sentinels = [
        Server(directory / f"sentinel-{n}", port, watching, "--sentinel") for n, port in enumerate(watchers)
    ]
    for server in servers:
        server.start()
    until(lambda: servers[0]("INFO", "replication").count(b"state=online") == 2, servers[0].log)
    for each in sentinels:
        each.start()
    until(
        lambda: all(b"slaves=2,sentinels=3" in each("INFO", "sentinel") for each in sentinels),
        sentinels[0].log,
    )
    also = ",".join(f"127.0.0.1:{port}" for port in watchers[1:])
    url = f"redis://:{PASSWORD}@127.0.0.1:{watchers[0]}/0?sentinel={MASTER}&also={also}"
    return Topology(url, servers, sentinels)


def cluster(directory: Path, *, secured: bool = False) -> Topology:
    """Three masters with a third of the slots each, and a replica of the last one, which has the revocations."""
    authority = Authority(directory) if secured else None
    own = (
        "cluster-enabled yes",
        "cluster-node-timeout 2000",
        "cluster-require-full-coverage no",
        "repl-diskless-sync-delay 0",
    )
    servers = [_data(directory, f"node-{n}", port, *own, tls=authority) for n, port in enumerate(ports(4))]
    for server in servers:
        server.start()
    bounds = [0, 5461, 10923, 16384]
    for n, server in enumerate(servers[:3]):
        server("CLUSTER", "ADDSLOTS", *range(bounds[n], bounds[n + 1]))
        server("CONFIG", "SET", "cluster-announce-ip", "127.0.0.1")
    for server in servers[1:]:
        server("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
    master = servers[2]("CLUSTER", "MYID").decode()
    until(lambda: all(b"cluster_known_nodes:4" in s("CLUSTER", "INFO") for s in servers))
    until(lambda: master in servers[3]("CLUSTER", "NODES").decode())
    servers[3]("CLUSTER", "REPLICATE", master)
    until(lambda: all(b"cluster_state:ok" in s("CLUSTER", "INFO") for s in servers), servers[0].log)
    until(lambda: b"state=online" in servers[2]("INFO", "replication"))
    scheme, end = ("rediss", f"&ssl_ca_certs={authority.file}") if authority else ("redis", "")
    return Topology(f"{scheme}://:{PASSWORD}@127.0.0.1:{servers[0].port}/0?cluster=true{end}", servers, [])


@contextmanager
def running(kind: str) -> Iterator[Topology]:
    with throwaway.temporary_directory() as directory:
        made = {"tls": tls, "sentinel": sentinel, "cluster": cluster}.get(kind)
        topology = made(directory) if made else cluster(directory, secured=True)
        try:
            for server in topology.servers:
                if not server.answers():
                    server.start()
            yield topology
        finally:
            topology.stop()
