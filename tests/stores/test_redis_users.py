"""deploy/redis/users.acl: each client does its work with what it is granted, and nothing beyond."""

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from coredis import Redis

from common.access_tokens.revocations import RevocationSource, RevocationWatch
from common.address import with_password
from common.redis_link import RedisLink, StoreUnavailableError
from devstack.declaration import declaration
from devstack.redis import binary
from devstack.settings import ROOT
from devstack.throwaway import free_port
from kong.plugins.idempotency.store import Store
from tests import alpine
from tests.nasty_passwords import PASSWORDS
from tests.revocations import mark_whole
from tests.unit.project.compose_files import environment, load

RULES = [
    line.split()[1:]
    for line in Path(ROOT / "deploy/redis/users.acl").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
GRANTED = [rule for rule in RULES if rule[0] != "default"]
CLIENTS = tuple(process.name for process in declaration().redis_users)


@pytest.fixture
async def users(redis_url: str) -> AsyncIterator[str]:
    """The test's Redis with these users, each with its name as the password; the address without a user."""
    async with Redis.from_url(redis_url) as admin:
        for name, *rules in GRANTED:
            await admin.acl_setuser(
                name, "reset", *(f">{name}" if rule.startswith("#") else rule for rule in rules)
            )
    yield urlsplit(redis_url).netloc.rpartition("@")[2]
    async with Redis.from_url(redis_url) as admin:
        await admin.acl_deluser([name for name, *_ in GRANTED])


def url(address: str, name: str) -> str:
    return f"redis://{name}:{name}@{address}/0"


async def refused(address: str, name: str, *command: str | bytes | int) -> bool:
    """Whether this user is told that it may not."""
    async with RedisLink(url(address, name), 2.0) as link:
        first, *rest = (part.encode() if isinstance(part, str) else part for part in command)
        assert isinstance(first, bytes)
        try:
            await link.command(first, *rest)
        except StoreUnavailableError as error:
            assert "permission" in str(error).lower(), error
            return True
        return False


async def test_idempotency_keeps_its_records_and_reads_nobody_elses(users: str) -> None:
    async with RedisLink(url(users, "idempotency"), 2.0) as link:
        store = Store(link)
        assert await store.reserve(b"idempotency:{k}", b"mine", 5.0) is None
        assert await store.reserve(b"idempotency:{k}", b"other", 5.0) is not None
        assert await store.complete(b"idempotency:{k}", b"mine", b"done", 5.0)
        assert await store.reserve(b"idempotency:{l}", b"mine", 5.0) is None
        assert await store.release(b"idempotency:{l}", b"mine")
        # A script is held to the same keys as the one who runs it.
        with pytest.raises(StoreUnavailableError):
            await store.reserve(b"auth:session:1", b"mine", 5.0)
    assert await refused(users, "idempotency", "GET", "auth:session:1")
    assert await refused(users, "idempotency", "XADD", "auth:revocations", "*", "sid", "s")


async def test_token_validator_follows_the_revocations_that_auth_writes(users: str) -> None:
    expires = str(time.time() + 60)
    async with Redis.from_url(url(users, "auth")) as auth:
        await auth.xadd("auth:revocations", {"sid": "ended", "exp": expires})
    async with RedisLink(url(users, "auth"), 2.0) as link:
        await mark_whole(link)
    source = RevocationSource(url(users, "token-validator"), "auth:revocations", 2.0)
    async with RevocationWatch(source) as watch:
        assert await watch.settle(5.0)
        assert "ended" in watch.revoked


async def test_token_validator_can_change_and_read_nothing_else(users: str) -> None:
    assert await refused(users, "token-validator", "XADD", "auth:revocations", "*", "sid", "s")
    assert await refused(users, "token-validator", "DEL", "auth:revocations")
    assert await refused(users, "token-validator", "XTRIM", "auth:revocations", "MAXLEN", 0)
    assert await refused(users, "token-validator", "HGETALL", "auth:session:1")
    assert await refused(users, "token-validator", "SET", "auth:revocations:whole-in", "x")
    assert await refused(users, "token-validator", "EVAL", "return 1", 0)


async def test_auth_keeps_to_its_own_keys(users: str) -> None:
    assert await refused(users, "auth", "GET", "idempotency:{k}")
    assert await refused(users, "auth", "SET", "other", "1")
    assert not await refused(users, "auth", "SET", "auth:link:reset:1", "1")


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize(
    "command", [("FLUSHALL",), ("KEYS", "*"), ("SCAN", "0"), ("CONFIG", "GET", "dir"), ("ACL", "LIST")]
)
async def test_no_client_administers_redis_or_lists_its_keys(
    users: str, name: str, command: tuple[str, ...]
) -> None:
    assert await refused(users, name, *command)


@contextmanager
def server(directory: Path, port: int) -> Iterator[None]:
    """Redis as deploy/redis/start.sh starts it, on these users; ends as it does when a container is stopped."""
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory), "--save", ""]
    options += ["--appendonly", "yes", "--aclfile", str(directory / "users.acl")]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen([str(binary()), *options], stdout=log, stderr=log)
    try:
        give_up = time.monotonic() + 20
        while not answers(port):
            assert process.poll() is None and time.monotonic() < give_up, (directory / "log").read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def said(port: int, *commands: str) -> list[bytes]:
    """The first line of each answer on one new connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
        lines = connection.makefile("rb")
        return [lines.readline().rstrip() for _ in commands]


def answers(port: int) -> bool:
    """As the health check asks."""
    try:
        return said(port, "AUTH health none", "PING") == [b"+OK", b"+PONG"]
    except OSError:
        return False


def write_users(directory: Path) -> None:
    """The users with their names as passwords, where `server` reads them."""
    rules = [
        " ".join(["user", name, *(f">{name}" if rule.startswith("#") else rule for rule in granted)])
        for name, *granted in RULES
    ]
    (directory / "users.acl").write_text("\n".join(rules) + "\n", encoding="utf-8")


async def test_what_a_client_wrote_in_one_step_is_there_after_a_restart(tmp_path: Path) -> None:
    # Redis 7 replays its append-only file as `default`, and drops the transactions that `default` may not do
    # (6.2, which may run here, does not ask).
    assert next(granted for name, *granted in RULES if name == "default") == ["off", "~*", "&*", "+@all"]
    write_users(tmp_path)
    port = free_port()
    address = url(f"127.0.0.1:{port}", "auth")
    with server(tmp_path, port):
        async with Redis.from_url(address) as client, client.pipeline(transaction=True) as pipeline:
            pipeline.set("auth:session:1", b"alive")
            pipeline.xadd("auth:revocations", {"sid": "ended", "exp": "1"})
    with server(tmp_path, port):
        async with Redis.from_url(address) as client:
            assert await client.get("auth:session:1") == b"alive"
            assert await client.xlen("auth:revocations") == 1


async def test_without_a_user_nothing_is_answered_and_the_health_check_learns_nothing(tmp_path: Path) -> None:
    write_users(tmp_path)
    port = free_port()
    with server(tmp_path, port):
        assert said(port, "PING")[0].startswith(b"-NOAUTH")
        greeting, *refusals = said(port, "AUTH health none", "GET auth:session:1", "INFO", "CLIENT LIST")
        assert greeting == b"+OK"
        assert all(line.startswith(b"-NOPERM") for line in refusals), refusals


async def test_the_exporter_measures_redis_and_reads_no_key(users: str) -> None:
    async with RedisLink(url(users, "exporter"), 2.0) as link:
        assert b"maxmemory:" in await link.command(b"INFO", b"ALL")
        assert isinstance(await link.command(b"SLOWLOG", b"LEN"), int)
    for command in ("GET auth:session:1", "SLOWLOG GET 1", "CONFIG GET *", "KEYS *", "SCAN 0", "ACL LIST"):
        assert await refused(users, "exporter", *command.split()), command


@pytest.mark.parametrize("file", ["compose.yaml", "compose.prod.yaml"])
def test_each_client_has_a_user_and_a_password_of_its_own(file: str) -> None:
    services = load(file)["services"]
    passwords = {rule.removeprefix("#") for _, *rules in RULES for rule in rules if rule.startswith("#")}
    assert {name for name, *_ in RULES} == {"default", "health", "backup", "exporter", *CLIENTS}
    assert {
        name.removesuffix("_FILE") for name in environment(services["redis"]) if "PASSWORD" in name
    } == passwords
    for client in CLIENTS:
        known = environment(services[client])
        assert f"redis://{client}@redis:6379/0" in known["REDIS_URL"]
        variable = f"{client.upper().replace('-', '_')}_REDIS_PASSWORD"
        assert [name.removesuffix("_FILE") for name in known if "REDIS_PASSWORD" in name] == [variable]
        if file == "compose.prod.yaml":
            secret = variable.lower()
            assert known[f"{variable}_FILE"] == f"/run/secrets/{secret}"
            assert [name for name in services[client]["secrets"] if "redis" in name] == [secret]


@pytest.mark.parametrize("whose", alpine.BOTH)
@pytest.mark.parametrize("way", ["variable", "file", "file of an editor"])
async def test_any_printable_password_is_a_users_password(tmp_path: Path, way: str, whose: str) -> None:
    """By the script of the container, into a real Redis, from an address without it."""
    users = [f"user{number}" for number in range(len(PASSWORDS))]
    templates = tmp_path / "templates.acl"
    templates.write_text(
        "user health on nopass -@all +ping\n"
        + "".join(f"user {name} on #{name.upper()} ~* &* +@all\n" for name in map(_lettered, users)),
        encoding="utf-8",
    )
    variables = {}
    for name, password in zip(map(_lettered, users), PASSWORDS, strict=True):
        if way == "variable":
            variables[name.upper()] = password
        else:
            secret = tmp_path / name
            secret.write_bytes(password.encode() + (b"\r\n" if way == "file of an editor" else b"\n"))
            variables[f"{name.upper()}_FILE"] = str(secret)
    stub = tmp_path / "bin" / "redis-server"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\n", encoding="utf-8")
    stub.chmod(0o755)
    subprocess.run(
        ["sh", str(ROOT / "deploy/redis/start.sh")],
        env={
            **variables,
            "PATH": f"{stub.parent}:{alpine.search_path(whose, tmp_path / 'programs')}",
            "REDIS_USERS": str(templates),
            "TMPDIR": str(tmp_path),
        },
        check=True,
    )
    port = free_port()
    with server(tmp_path, port):
        for name, password in zip(map(_lettered, users), PASSWORDS, strict=True):
            where = with_password(f"redis://{name}@127.0.0.1:{port}/0", password, ("redis",))
            async with RedisLink(where, 5.0) as link:
                assert await link.command(b"PING") == b"PONG", password


def _lettered(name: str) -> str:
    """A variable that users.acl may name: letters and underscores alone."""
    return "".join(chr(ord("a") + int(letter)) if letter.isdigit() else letter for letter in name)
