"""deploy/postgres/standby.sh with two real servers: a former primary follows again, whatever it was in when it died."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from devstack import unprivileged
from devstack.postgres import binaries
from devstack.settings import ROOT
from devstack.throwaway import kept_ports, temporary_directory
from tests import alpine

PASSWORD = "a password: of the test"
START = """
shift
exec postgres -D "$PGDATA" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off "$@"
"""
"""In place of start.sh and the image's entrypoint."""
WITHIN = 60.0

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed"),
]


class Container:
    """What one of the two containers is to the script: its name, its data, what it is told of the other one."""

    def __init__(self, pair: Pair, name: str, peer: str, port: int, peer_port: int) -> None:
        directory = pair.directory
        self.directory, self.name = directory, name
        self.data = unprivileged.data_directory(directory / name)
        self.first = unprivileged.data_directory(directory / f"{name}-programs")
        """Programs in it are taken for those of their name."""
        self._log = directory / f"{name}.log"
        self._environment = {
            "PATH": f"{self.first}:{binaries()}:{pair.search_path}",
            "HOME": str(directory),
            "NAME": name,
            "PEER": peer,
            "PEER_PORT": str(peer_port),
            "PGDATA": str(self.data),
            "PGPORT": str(port),
            "PGHOST": "127.0.0.1",
            "PGHOSTADDR": "127.0.0.1",  # names are as under compose, and lead here
            "PGPASSFILE": str(self.first / "pgpass"),
            "ARCHIVE": str(directory / "archive"),
            "POSTGRES_USER": "postgres",
            "POSTGRES_PASSWORD": PASSWORD,
            "LC_ALL": "C.UTF-8",
        }
        self._server: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(arguments),
            env={**self._environment, **more},
            cwd="/",
            user=unprivileged.account(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=WITHIN,
        )

    def script(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("sh", str(self.directory / "standby.sh"), *arguments, **more)

    def start(self, command: str = "start", **more: str) -> None:
        """Returns once it takes connections. Raises AssertionError with its last words where it ends instead."""
        self.begin(command, **more)
        self.until(lambda: self.run("pg_isready", "--quiet").returncode == 0)

    def begin(self, command: str = "start", **more: str) -> None:
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                ["sh", str(self.directory / "standby.sh"), command],
                env={**self._environment, **more},
                cwd="/",
                user=unprivileged.account(),
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """Returns once none of its processes is left."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(timeout=WITHIN)
            self._forget()
        if (lock := self.directory / "archive" / f"{self.name}.lock").exists():
            assert self.run("flock", str(lock), "true").returncode == 0

    def in_background(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", str(self.directory / "standby.sh"), *command],
            env=self._environment,
            cwd="/",
            user=unprivileged.account(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def holding_the_data(self) -> subprocess.Popen[str]:
        """As a container that goes on."""
        holder = subprocess.Popen(
            ["sh", "-c", 'exec 9> "$ARCHIVE/$NAME.lock"; flock 9; echo held; exec sleep 600'],
            env=self._environment,
            user=unprivileged.account(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.stdout.close()
        return holder

    def ended(self) -> str:
        """What it said, once it has ended by itself."""
        assert self._server is not None
        assert self._server.wait(timeout=WITHIN) != 0
        self._forget()
        return self.said()

    def _forget(self) -> None:
        """What waits beside it for the server goes with the container."""
        assert self._server is not None
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGKILL)
        self._server = None

    def ask(self, statement: str) -> str:
        options = ("-XAtv", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres")
        answered = self.run("psql", *options, "-c", statement, PGPASSWORD=PASSWORD)
        assert answered.returncode == 0, answered.stdout
        return answered.stdout.strip()

    def until(self, so: Callable[[], bool]) -> None:
        give_up = time.monotonic() + WITHIN
        while not so():
            alive = self._server is None or self._server.poll() is None
            assert alive and time.monotonic() < give_up, self.said()
            time.sleep(0.05)

    def said(self) -> str:
        return "\n".join(self.logged().splitlines()[-20:])

    def logged(self) -> str:
        return self._log.read_text(errors="replace")

    def instead_of(self, program: str, text: str) -> None:
        (self.first / program).write_text(f"#!/bin/sh\n{text}\n")
        (self.first / program).chmod(0o755)

    def fence(self) -> None:
        for name in ("standby.signal", "fenced"):
            assert self.run("touch", str(self.data / name)).returncode == 0


class Pair:
    def __init__(self, directory: Path, ports: Sequence[int], whose: str) -> None:
        one, other, third = ports
        self.directory = directory
        self.search_path = alpine.search_path(whose, directory / "programs")
        self.archive = unprivileged.data_directory(directory / "archive")
        script = (ROOT / "deploy/postgres/standby.sh").read_text()
        assert "/gatehouse/start.sh" in script
        (directory / "standby.sh").write_text(script.replace("/gatehouse/start.sh", f"{directory}/start.sh"))
        (directory / "start.sh").write_text(START)
        self.one = Container(self, "postgres", "postgres-standby", one, other)
        self.other = Container(self, "postgres-standby", "postgres", other, one)
        self.restored = Container(self, "postgres-restored", "postgres", third, one)
        self.restored.instead_of("docker-entrypoint.sh", START)

    def start(self) -> None:
        password = self.one.first / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = ("-U", "postgres", "--auth", "scram-sha-256", "--no-sync", "--data-checksums")
        made = self.one.run("initdb", "-D", str(self.one.data), "--pwfile", str(password), *options)
        assert made.returncode == 0, made.stdout
        self.one.start()
        self.one.ask("CREATE TABLE paid (number int)")
        self.other.start(COPY="1")
        self.until_it_follows(self.other, self.one)

    def until_it_follows(self, standby: Container, primary: Container) -> None:
        states = f"SELECT state FROM pg_stat_replication WHERE application_name = '{standby.name}'"
        standby.until(lambda: primary.ask(states) == "streaming")
        primary.ask("INSERT INTO paid VALUES (0)")
        rows = "SELECT count(*), sum(number) FROM paid"
        standby.until(lambda: standby.ask(rows) == primary.ask(rows))

    def write_what_the_standby_never_gets(self, more: str = "SELECT") -> None:
        """And then the primary is killed. Its sender sleeps, as if the link was slow."""
        sender = int(self.one.ask("SELECT pid FROM pg_stat_replication"))
        os.kill(sender, signal.SIGSTOP)
        try:
            self.one.ask("INSERT INTO paid SELECT generate_series(1, 1000)")
            self.one.ask(more)
        finally:
            os.kill(sender, signal.SIGKILL)
            self.one.end(signal.SIGKILL)

    def take_over(self) -> None:
        self.one.fence()
        promoted = self.other.script("promote")
        assert promoted.returncode == 0, promoted.stdout
        self.other.ask("INSERT INTO paid VALUES (7)")
        # Known to whoever follows the archive.
        self.other.until((self.archive / "wal" / "00000002.history").exists)

    def end(self) -> None:
        for each in (self.one, self.other, self.restored):
            each.end(signal.SIGKILL)
            for directory in (each.data, each.first):
                unprivileged.discard(directory)
        unprivileged.discard(self.archive)


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """With the programs of the image where busybox is there, or with those that a test asks for."""
    whose = getattr(request, "param", "alpine" if shutil.which("busybox") else "machine")
    with temporary_directory() as directory, kept_ports(3) as ports:
        made = Pair(directory, ports, whose)
        try:
            made.start()
            yield made
        finally:
            made.end()


def rejoined(pair: Pair) -> str:
    """What the script said of it, once the former primary follows."""
    done = pair.one.script("rejoin")
    assert done.returncode == 0, done.stdout
    print(done.stdout)
    pair.one.start()
    pair.until_it_follows(pair.one, pair.other)
    assert pair.one.ask("SELECT pg_is_in_recovery()") == "t"
    return done.stdout


def succeeded(container: Container, *command: str) -> str:
    """What a command of the script said."""
    finished = container.script(*command)
    assert finished.returncode == 0, finished.stdout
    return finished.stdout.strip()


REWOUND = "postgres has nothing any more that postgres-standby does not have"
COPIED = "it is copied anew"


@pytest.mark.parametrize("pair", alpine.BOTH, indirect=True)
def test_one_that_was_killed_is_rewound(pair: Pair) -> None:
    pair.write_what_the_standby_never_gets()
    pair.take_over()
    assert REWOUND in rejoined(pair)


def test_one_that_came_back_fenced_and_then_would_not_start_is_rewound(pair: Pair) -> None:
    """The first start reads all of its own WAL; from then on that has to be in the history of who took over."""
    pair.write_what_the_standby_never_gets()
    pair.take_over()
    pair.one.start()
    pair.one.end()
    pair.one.begin()
    assert "does not contain minimum recovery point" in pair.one.ended()
    assert REWOUND in rejoined(pair)


def test_one_whose_checkpoint_nobody_got_is_rewound(pair: Pair) -> None:
    pair.write_what_the_standby_never_gets("CHECKPOINT")
    pair.take_over()
    pair.one.begin()
    assert "is not a child of this server's history" in pair.one.ended()
    assert REWOUND in rejoined(pair)


def test_the_rejoined_one_takes_over_in_turn(pair: Pair) -> None:
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    rejoined(pair)
    pair.other.end(signal.SIGKILL)
    pair.other.fence()
    promoted = pair.one.script("promote")
    assert promoted.returncode == 0, promoted.stdout
    assert pair.one.ask("SELECT count(*) FROM paid WHERE number = 7") == "1"


def test_a_rejoin_may_be_repeated(pair: Pair) -> None:
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    for _ in range(2):
        assert REWOUND in rejoined(pair)
        pair.one.end()


def test_a_rejoin_that_was_broken_off_is_no_server_and_the_next_one_copies(pair: Pair) -> None:
    pair.write_what_the_standby_never_gets()
    pair.take_over()
    # As pg_rewind does it: first it removes what the other one does not have, the fence as well.
    pair.one.instead_of("pg_rewind", 'rm "$PGDATA/standby.signal"; kill -9 $PPID')
    assert pair.one.script("rejoin").returncode == -signal.SIGKILL
    (pair.one.first / "pg_rewind").unlink()
    pair.one.begin()
    assert "half of a copy" in pair.one.ended()
    assert f"was broken off: {COPIED}" in rejoined(pair)


def test_a_copy_that_was_broken_off_is_begun_again(pair: Pair) -> None:
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    pair.one.instead_of("pg_rewind", "echo could not find previous WAL record; exit 1")
    pair.one.instead_of("pg_basebackup", 'echo 16 > "$PGDATA/PG_VERSION"; kill -9 $PPID')
    assert pair.one.script("rejoin").returncode == -signal.SIGKILL
    (pair.one.first / "pg_basebackup").unlink()
    pair.one.begin()
    assert "half of a copy" in pair.one.ended()
    assert COPIED in rejoined(pair)


def test_one_that_cannot_be_rewound_is_copied(pair: Pair) -> None:
    pair.write_what_the_standby_never_gets()
    pair.take_over()
    pair.one.instead_of("pg_rewind", "echo could not find previous WAL record; exit 1")
    said = rejoined(pair)
    assert "could not find previous WAL record" in said
    assert f"could not be rewound, for the reason above: {COPIED}" in said


def test_one_whose_volume_is_lost_is_copied_and_makes_no_databases_of_its_own(pair: Pair) -> None:
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    assert pair.one.run("sh", "-c", 'rm -rf "$PGDATA"/*').returncode == 0
    pair.one.begin()
    assert "postgres has lost its data" in pair.one.ended()
    pair.other.end()
    pair.one.begin()
    assert "postgres has lost its data" in pair.one.ended(), "the archive says so alone"
    pair.other.start()
    rejoined(pair)


def test_half_a_copy_is_not_the_second_disk_that_commits_wait_for(pair: Pair) -> None:
    """A copy streams too, and would acknowledge commits if it had the standby's name."""
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    pair.other.ask("ALTER SYSTEM SET log_connections = on")
    pair.other.ask("SELECT pg_reload_conf()")
    done = pair.one.script("copy")
    assert done.returncode == 0, done.stdout
    names = re.findall(r"replication connection authorized.* application_name=(\S+)", pair.other.logged())
    assert sorted(names) == ["postgres", "postgres-copy", "postgres-copy"], (
        "the first one only asks who is there"
    )


def test_a_rejoin_waits_for_one_whose_command_was_broken_off(pair: Pair) -> None:
    """Docker does not end a container with the command that began it."""
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    holder = pair.one.holding_the_data()
    second = pair.one.in_background("rejoin")
    assert second.stdout is not None
    assert "has its data in use: waiting" in second.stdout.readline()
    holder.kill()
    holder.wait()
    said, _ = second.communicate(timeout=WITHIN)
    assert (second.returncode, REWOUND in said) == (0, True), said


def test_what_is_not_fenced_or_runs_or_is_strange_is_left_alone(pair: Pair) -> None:
    running = pair.other.script("rejoin", PATIENCE="0.1")
    assert (running.returncode, "has its data in use" in running.stdout) == (1, True)
    pair.other.end()
    pair.one.end()
    down = pair.other.script("rejoin")
    assert (down.returncode, "nothing was changed: postgres takes no writes" in down.stdout) == (1, True)
    pair.one.start()
    assert pair.other.run("rm", str(pair.other.data / "standby.signal")).returncode == 0
    unfenced = pair.other.script("rejoin")
    assert (unfenced.returncode, "postgres-standby is not fenced" in unfenced.stdout) == (1, True)
    pair.other.fence()
    pair.other.instead_of("pg_controldata", "echo 'Database system identifier:  1'")
    strange = pair.other.script("rejoin")
    assert (strange.returncode, "another database cluster" in strange.stdout) == (1, True)
    assert (pair.other.data / "PG_VERSION").exists()


def test_one_that_is_fenced_and_has_not_followed_since_is_not_promoted(pair: Pair) -> None:
    pair.one.end(signal.SIGKILL)
    pair.take_over()
    pair.one.start()
    refused = pair.one.script("promote")
    assert (refused.returncode, "does not have what was written since" in refused.stdout) == (1, True)
    assert pair.one.ask("SELECT pg_is_in_recovery()") == "t"


@pytest.mark.parametrize("pair", alpine.BOTH, indirect=True)
def test_a_backup_and_the_archive_bring_a_moment_back(pair: Pair) -> None:
    base = succeeded(pair.one, "backup").splitlines()[-1]
    pair.one.ask("INSERT INTO paid SELECT generate_series(1, 1000)")
    before = pair.one.ask("SELECT count(*), sum(number) FROM paid")
    moment = pair.one.ask("SELECT clock_timestamp()")
    pair.one.ask("DELETE FROM paid")
    succeeded(pair.one, "archive")
    pair.restored.start("restored", RESTORE_TO=moment)
    pair.restored.until(lambda: pair.restored.ask("SELECT pg_is_in_recovery()") == "f")
    assert pair.restored.ask("SELECT count(*), sum(number) FROM paid") == before
    assert f"restoring {base} up to {moment}" in pair.restored.logged()


@pytest.mark.parametrize("pair", alpine.BOTH, indirect=True)
def test_seven_backups_are_kept_and_the_wal_since_the_first_of_them(pair: Pair) -> None:
    bases, wal = pair.archive / "base", pair.archive / "wal"
    first = succeeded(pair.one, "backup").splitlines()[-1]
    succeeded(pair.one, "archive")
    for year in range(2001, 2008):
        pair.one.run("cp", "-a", first, str(bases / f"{year}0101T000000Z"))
    needed = next(
        line for line in Path(first, "backup_label").read_text().splitlines() if "START WAL" in line
    )
    segment = re.findall(r"file (\w+)\)", needed)[0]
    (wal / f"{int(segment, 16) - 1:024X}").write_text("older than the first of them")
    succeeded(pair.one, "backup")
    assert [each.name[:4] for each in sorted(bases.iterdir())][:5] == ["2003", "2004", "2005", "2006", "2007"]
    assert len(list(bases.iterdir())) == 7
    assert min(file.name for file in wal.iterdir() if len(file.name) == 24) == segment


@pytest.mark.parametrize("pair", alpine.BOTH, indirect=True)
def test_two_backups_of_one_second_are_two(pair: Pair) -> None:
    asked = pair.one.first / "asked"
    pair.one.instead_of(
        "date",
        f'echo >> "{asked}"; [ "$(wc -l < "{asked}")" -gt 3 ] && echo 20300101T000001Z || echo 20300101T000000Z',
    )
    made = [Path(succeeded(pair.one, "backup").splitlines()[-1]) for _ in range(2)]
    assert [each.name for each in made] == ["20300101T000000Z", "20300101T000001Z"]
    assert len(asked.read_text().splitlines()) == 4, "the second one met the second of the first"
    for each in made:
        assert (each / "backup_label").exists()
        assert not (each / "partial").exists()


@pytest.mark.parametrize("pair", alpine.BOTH, indirect=True)
def test_commits_wait_for_the_other_disk_while_they_are_told_to(pair: Pair) -> None:
    succeeded(pair.one, "wait", "on")
    of_the_standby = "SELECT sync_state FROM pg_stat_replication"
    pair.one.until(lambda: pair.one.ask(of_the_standby) == "sync")
    succeeded(pair.one, "wait", "off")
    pair.one.until(lambda: pair.one.ask(of_the_standby) == "async")
