"""The PostgreSQL of a standby region: a copy of another region's, that follows it until it is promoted.

A part like any other: it counts as ready once it takes writes, so that whatever needs a database waits for that.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from devstack import unprivileged
from devstack.errors import NotReadyError, PrepareError
from devstack.postgres import SUPERUSER, Postgres
from devstack.recovery.archive import RETRY

FENCED = "fenced"
"""The file in a data directory that says: another server has taken over since."""
ANSWERS_WITHIN = 60.0
"""Seconds that a failover waits for it, before it changes anything."""
FOLLOWER = (RETRY, "wal_receiver_timeout=10s", "hot_standby=on")


def copy(server: Postgres, primary: str) -> None:
    """Prepares the data directory of `server` as a copy of the server at `primary` (host:port), unless it has data.

    Those of a region that was taken over from (`fenced`) are replaced: it has no way from there to what came after.
    They stay until the copy is whole, which is made beside them. Both servers have the same superuser's password.
    Raises PrepareError, with the data as they were.
    """
    # Where a link leads, so that what is beside it is on the same disk.
    data = unprivileged.data_directory(server.directory).resolve()
    copying, replaced = data.with_name(f"{data.name}.copying"), data.with_name(f"{data.name}.replaced")
    if copying.exists() and replaced.exists() and not any(data.iterdir()):  # killed between the two renames
        data.rmdir()
        replaced.rename(data)
    if (data / "PG_VERSION").exists():
        if not (data / FENCED).exists():
            return
    elif any(data.iterdir()):
        raise PrepareError(f"nothing was changed: {data} is not empty, and has no PostgreSQL")
    _require_primary(server, primary, data)
    for left in (replaced, copying):
        unprivileged.discard(left)
    unprivileged.data_directory(copying)
    options = ("--checkpoint", "fast", "--wal-method", "stream", "--write-recovery-conf")
    server.run("pg_basebackup", "-d", _conninfo(primary), "-D", str(copying), *options)
    with (copying / "postgresql.auto.conf").open(
        "a"
    ) as file:  # what the primary says of itself, or did when it followed
        file.write("primary_slot_name = ''\nsynchronous_standby_names = ''\n")
    data.rename(replaced)
    copying.rename(data)
    unprivileged.discard(replaced)


def system_identifier(data: Path) -> int:
    """Of the database cluster in a data directory, whether it runs or not. Raises OSError."""
    with (data / "global" / "pg_control").open("rb") as file:
        return int.from_bytes(file.read(8), sys.byteorder)  # the first field of ControlFileData


def _require_primary(server: Postgres, primary: str, data: Path) -> None:
    """What can be followed takes writes, and has the history of these data, if there are any (standby.sh: may_follow).

    Raises PrepareError.
    """
    try:
        recovering, cluster = server.ask_at(
            f"{_conninfo(primary)} connect_timeout=10",
            "SELECT pg_is_in_recovery(), system_identifier FROM pg_control_system()",
        ).split("|")
    except PrepareError as refusal:
        raise PrepareError(f"nothing was changed: {primary} does not answer: {refusal}") from None
    if recovering != "f":
        raise PrepareError(f"nothing was changed: {primary} takes no writes")
    if not (data / "PG_VERSION").exists():
        return
    try:
        own = system_identifier(data)
    except OSError as fault:
        raise PrepareError(f"nothing was changed: {data} cannot be read: {fault}") from None
    if own != int(cluster):
        raise PrepareError(
            f"nothing was changed: the data in {data} are of another database cluster than those of {primary}"
        )


def _conninfo(primary: str) -> str:
    host, _, port = primary.rpartition(":")
    return f"host={host} port={port} user={SUPERUSER} dbname={SUPERUSER} application_name=standby"


def until_it_answers(server: Postgres) -> None:
    """Returns once it takes connections: a standby does when it has all of the WAL that its copy needs.

    Raises NotReadyError, with what it says instead.
    """
    give_up = time.monotonic() + ANSWERS_WITHIN
    while not server.ready():
        if time.monotonic() > give_up:
            raise NotReadyError(f"nothing was changed: the PostgreSQL of this region {_refusal(server)}")
        time.sleep(0.1)


def _refusal(server: Postgres) -> str:
    try:
        server.ask(SUPERUSER, "SELECT 1")
    except PrepareError as refusal:
        return f"takes no connections: {refusal}"
    return "took no connection until this moment: repeat it"


def takes_writes(server: Postgres) -> bool:
    """Whether it was promoted, or never followed anybody. No, where it cannot be asked."""
    try:
        return server.ready() and server.ask(SUPERUSER, "SELECT pg_is_in_recovery()").strip() == "f"
    except PrepareError:
        return False  # it went between the two: a probe never raises


def behind(server: Postgres) -> float:
    """Seconds since the latest commit that it has replayed; it grows where nothing is written, too."""
    age = "SELECT coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)"
    return float(server.ask(SUPERUSER, age))
