"""What Redis answers, and whom they believe to be Redis: services and plugins are judged by one table."""

import asyncio
import contextlib
import datetime
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common import redis_errors
from common.address import with_password
from common.redis_link import RedisLink, StoreUnavailableError
from services.chassis.errors import Unavailable
from services.chassis.redis import REFUSALS, Redis
from tests.nasty_passwords import PASSWORDS

# coredis leaves the memory streams of a connection that was refused to the garbage collector, which complains.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Its complaints belong to these tests and must not reach the next ones."""
    yield
    gc.collect()


class Fake:
    """Greets every client, notes how it signs in, and gives one answer to whatever else is asked."""

    def __init__(self, answer: bytes = b"+value") -> None:
        self.answer = answer
        self.signed_in: list[tuple[bytes, ...]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while line := await reader.readline():
                words = [await self._word(reader) for _ in range(int(line[1:]))]
                writer.write(self._answer(words) + b"\r\n")
                await writer.drain()
        writer.close()

    async def _word(self, reader: asyncio.StreamReader) -> bytes:
        size = int((await reader.readline())[1:])
        return (await reader.readexactly(size + 2))[:-2]

    def _answer(self, words: list[bytes]) -> bytes:
        match words[0].upper():
            case b"HELLO":
                if b"AUTH" in words:
                    self.signed_in.append(tuple(words[words.index(b"AUTH") + 1 :][:2]))
                return b"%3\r\n$7\r\nversion\r\n$5\r\n6.2.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1"
            case b"AUTH":
                self.signed_in.append(tuple(words[1:]))
                return b"+OK"
            case b"CLIENT" | b"SELECT":
                return b"+OK"
            case _:
                return self.answer


@contextlib.asynccontextmanager
async def served(fake: Fake, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def by_a_service(url: str) -> None:
    """Raises Unavailable where an app answers 503, and what it would log as a fault of its own otherwise."""
    redis = Redis(url)
    try:
        async with redis.lifespan():
            await redis.client.get("key")
    except BaseException as raised:
        fault = raised
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        for kind in type(fault).__mro__:
            if kind in REFUSALS and isinstance(fault, Exception):
                problem = cast(Refusal, REFUSALS[kind])(fault)
                raise (problem or fault) from None
        raise


async def by_a_plugin(url: str) -> None:
    async with RedisLink(url, 2.0) as link:
        try:
            await link.command(b"GET", b"key")
        except StoreUnavailableError as fault:
            raise Unavailable(str(fault)) from fault


Refusal = Callable[[Exception], Exception | None]
CLIENTS = [by_a_service, by_a_plugin]
Client = Callable[[str], Awaitable[None]]
STATES = sorted(
    {"BUSY", "LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS"}
) + sorted({"EXECABORT", "NOSCRIPT", "OOM", "MISCONF", "NOAUTH", "WRONGPASS", "NOPERM"})


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("code", STATES)
async def test_what_redis_cannot_help_is_an_outage(client: Client, code: str) -> None:
    async with served(Fake(f"-{code} said by the server".encode())) as port:
        with pytest.raises(Unavailable) as told:
            await client(f"redis://127.0.0.1:{port}")
    if client is by_a_service:  # the plugins' own Retry-After is tested with their refusals
        assert told.value.headers["Retry-After"] == ("5" if code in redis_errors.OPERATOR else "1")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("password", [*PASSWORDS[:6], PASSWORDS[-2]])
async def test_the_user_and_the_password_are_decoded(client: Client, password: str) -> None:
    fake = Fake()
    async with served(fake) as port:
        await client(with_password(f"redis://auth@127.0.0.1:{port}/1", password, ("redis",)))
    assert fake.signed_in == [(b"auth", password.encode())]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("name", "believed"), [("localhost", True), ("other.example", False)])
async def test_only_a_certificate_for_the_host_is_believed(
    client: Client, name: str, believed: bool, tmp_path: Path
) -> None:
    certificate = self_signed(name, tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    async with served(Fake(), context) as port:
        url = f"rediss://localhost:{port}"
        if believed:
            await client(f"{url}?ssl_ca_certs={certificate}")
        else:
            with pytest.raises(Unavailable):
                await client(f"{url}?ssl_ca_certs={certificate}")
        with pytest.raises(Unavailable):
            await client(url)  # nobody vouches for it


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_wrong_password_at_a_real_server_is_an_outage(client: Client, redis_url: str) -> None:
    where = redis_url.rpartition("@")[2]
    for url in (f"redis://:wrong@{where}", f"redis://nobody:wrong@{where}", f"redis://{where}"):
        with pytest.raises(Unavailable):
            await client(url)


def self_signed(name: str, directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    file = directory / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file
