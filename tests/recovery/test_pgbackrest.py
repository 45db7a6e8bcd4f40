"""deploy/pgbackrest/pgbackrest.conf as it is: WAL and backups go encrypted to a directory or to S3, and a restore to
the moment before a DELETE brings the rows back.

Debian 12's pgBackRest (2.45) knows PostgreSQL up to 15: the server is Debian's too then, not the 16 of the other tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from devstack import unprivileged
from devstack.postgres import binaries
from devstack.settings import ROOT
from devstack.throwaway import free_port, temporary_directory
from tests import local_certificate

CONFIGURATION = ROOT / "deploy" / "pgbackrest" / "pgbackrest.conf"
PASS = "a cipher pass of the tests alone"
SECRET = "a shopper's address that nobody may read in the repository"
KNOWN = {(2, 0): 15, (2, 47): 16, (2, 54): 17}
"""The newest PostgreSQL that pgBackRest knows since that version; up to 15 what Debian 12 has."""
WITHIN = 60.0
"""Seconds that a step may take on a busy machine."""


def programs() -> Path:
    """Of the newest PostgreSQL here that this pgBackRest knows."""
    if shutil.which("pgbackrest") is None:
        pytest.skip("pgbackrest is not installed (apt-get install pgbackrest)")
    known = max(major for since, major in KNOWN.items() if since <= _version("pgbackrest", "version"))
    here = [binaries(), *Path("/usr/lib/postgresql").glob("*/bin")]
    found = {_version(str(each / "postgres"), "--version")[0]: each for each in here}
    if not (fitting := [major for major in found if major <= known]):
        pytest.skip(f"no PostgreSQL up to {known} below /usr/lib/postgresql, which this pgBackRest knows")
    return found[max(fitting)]


def _version(*command: str) -> tuple[int, ...]:
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


class Server:
    """A PostgreSQL of the machine's own, archived by pgBackRest."""

    def __init__(self, directory: Path, repository: Mapping[str, str]) -> None:
        self._programs = programs()
        self._data = unprivileged.data_directory(directory / "data")
        self._sockets = unprivileged.data_directory(directory / "sockets")
        self._log = self._sockets / "log"
        configuration = directory / "pgbackrest.conf"
        shutil.copy(CONFIGURATION, configuration)
        configuration.chmod(0o644)
        self._port = str(free_port())
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._sockets),
            "PGHOST": str(self._sockets),
            "PGPORT": self._port,
            "PGUSER": "postgres",
            "PGBACKREST_CONFIG": str(configuration),
            "PGBACKREST_STANZA": "gatehouse",
            "PGBACKREST_PG1_PATH": str(self._data),
            "PGBACKREST_PG1_PORT": self._port,
            "PGBACKREST_PG1_SOCKET_PATH": str(self._sockets),
            "PGBACKREST_PG1_USER": "postgres",
            "PGBACKREST_LOG_PATH": str(self._sockets),
            "PGBACKREST_SPOOL_PATH": str(self._sockets),
            "PGBACKREST_LOCK_PATH": str(self._sockets / "lock"),
            "PGBACKREST_REPO1_CIPHER_PASS": PASS,
            **repository,
        }

    def make(self) -> None:
        self._run(str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", "--no-sync")

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses= -c unix_socket_directories={self._sockets} -c fsync=off "
            "-c archive_mode=on -c archive_command='pgbackrest archive-push %p'"
        )
        self._run(
            str(self._programs / "pg_ctl"),
            *("-D", str(self._data), "-l", str(self._log), "-w", "-o", options, "start"),
        )
        give_up = time.monotonic() + WITHIN
        while self.ask("SELECT pg_is_in_recovery()") != "f":
            assert time.monotonic() < give_up, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self._run(str(self._programs / "pg_ctl"), "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def backrest(self, *arguments: str) -> str:
        return self._run("pgbackrest", *arguments)

    def ask(self, statement: str) -> str:
        psql = str(self._programs / "psql")
        return self._run(psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement).strip()

    def _run(self, *command: str) -> str:
        with (self._sockets / "output").open("w+") as output:  # no pipe, which the server would inherit
            status = subprocess.run(
                command,
                env=self._environment,
                user=unprivileged.account(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=WITHIN,
                check=False,
            ).returncode
            output.seek(0)
            said = output.read()
        assert status == 0, f"{command}: {said}"
        return said


Repository = tuple[dict[str, str], Callable[[], list[bytes]]]
"""What pgBackRest is told of one, and the contents of all that it keeps there."""


@contextmanager
def directory_repository(directory: Path) -> Iterator[Repository]:
    kept = unprivileged.data_directory(directory / "repository")
    told = {"PGBACKREST_REPO1_TYPE": "posix", "PGBACKREST_REPO1_PATH": str(kept)}
    yield told, lambda: [file.read_bytes() for file in kept.rglob("*") if file.is_file()]


@contextmanager
def s3_repository(directory: Path) -> Iterator[Repository]:
    """A server that speaks S3 over TLS, as pgBackRest insists on."""
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Polite(WSGIRequestHandler):
        """Says at the end that TLS ends: pgBackRest takes a mere end of the connection for a fault."""

        def finish(self) -> None:
            super().finish()
            self.connection.setblocking(False)  # it says so, and waits for no answer
            with suppress(OSError):
                self.connection.unwrap()

    certificate, key = local_certificate.localhost()
    for name, content in (("certificate.pem", certificate), ("key.pem", key)):
        (directory / name).write_bytes(content)
    files = (str(directory / "certificate.pem"), str(directory / "key.pem"))
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, ssl_context=files, request_handler=Polite
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint = f"localhost:{server.server_port}"
    client = boto3.client(
        "s3",
        endpoint_url=f"https://{endpoint}",
        verify=files[0],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="ap-northeast-2",
    )
    client.create_bucket(
        Bucket="gatehouse-backup", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    told = {
        "PGBACKREST_REPO1_S3_ENDPOINT": endpoint,
        "PGBACKREST_REPO1_S3_URI_STYLE": "path",
        "PGBACKREST_REPO1_STORAGE_CA_FILE": files[0],
        "PGBACKREST_REPO1_S3_KEY": "test",
        "PGBACKREST_REPO1_S3_KEY_SECRET": "test",
    }

    def kept() -> list[bytes]:
        listed = client.list_objects_v2(Bucket="gatehouse-backup")["Contents"]
        return [
            client.get_object(Bucket="gatehouse-backup", Key=each["Key"])["Body"].read() for each in listed
        ]

    try:
        yield told, kept
    finally:
        server.shutdown()
        thread.join()
        client.close()


@pytest.mark.parametrize("repository", [directory_repository, s3_repository])
def test_a_restore_to_before_a_delete_from_an_encrypted_repository(
    repository: Callable[[Path], AbstractContextManager[Repository]],
) -> None:
    with temporary_directory() as directory, repository(directory) as (told, kept):
        server = Server(directory, told)
        server.make()
        server.start()
        try:
            server.backrest("stanza-create")
            server.ask("CREATE TABLE orders (address text)")
            server.backrest("--type=full", "backup")
            time.sleep(1.1)  # the end of a backup is known by the second, and the moment has to be after it
            server.ask(f"INSERT INTO orders SELECT $${SECRET}$$ FROM generate_series(1, 1000)")
            moment = server.ask("SELECT clock_timestamp()")
            time.sleep(0.01)
            server.ask("DELETE FROM orders")
            server.backrest("check")  # the segment of this moment is in the archive
        finally:
            server.stop()
        server.backrest("--type=time", f"--target={moment}", "--target-action=promote", "restore")
        server.start()
        try:
            assert server.ask("SELECT count(*) FROM orders") == "1000"
            server.backrest("--type=incr", "backup")  # it goes on from there
        finally:
            server.stop()
        contents = kept()
        assert len(contents) > 5
        assert not any(SECRET.encode() in content for content in contents)
