"""The data of a fenced region stay until a whole copy of a primary of the same cluster is there to replace them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import unprivileged
from devstack.errors import PrepareError
from devstack.postgres import Postgres
from devstack.recovery import follower
from devstack.throwaway import temporary_directory

PRIMARY = "127.0.0.1:1"
CLUSTER = 42
ITS_OWN = {"PG_VERSION": "16", "fenced": "", "standby.signal": "", "paid": "what only this region has"}


def fill(directory: Path, **files: str) -> None:
    for name, content in files.items():
        (directory / name).write_text(content)


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One that was taken over from."""
    with temporary_directory() as directory:
        made = Postgres(directory / "postgres", 1, "the password: of both")
        data = unprivileged.data_directory(made.directory).resolve()
        (data / "global").mkdir()
        (data / "global" / "pg_control").write_bytes(CLUSTER.to_bytes(8, sys.byteorder))
        fill(data, **ITS_OWN)
        yield made
        unprivileged.discard(made.directory)


def holds(server: Postgres) -> dict[str, str]:
    data = unprivileged.data_directory(server.directory).resolve()
    return {file.name: file.read_text() for file in data.iterdir() if file.is_file()}


def beside(server: Postgres) -> list[str]:
    data = unprivileged.data_directory(server.directory).resolve()
    return [each.name for each in data.parent.iterdir() if each.name.startswith(f"{data.name}.")]


class World:
    """What the primary says of itself, and what pg_basebackup leaves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says: str | PrepareError = f"f|{CLUSTER}\n"
        self.breaks_off = False
        self.copied = 0
        monkeypatch.setattr(Postgres, "ask_at", self._ask_at)
        monkeypatch.setattr(Postgres, "run", self._run)

    def _ask_at(self, conninfo: str, statement: str) -> str:
        assert "host=127.0.0.1 port=1 " in conninfo
        if isinstance(self.says, PrepareError):
            raise self.says
        return self.says

    def _run(self, program: str, *arguments: str) -> None:
        assert program == "pg_basebackup"
        target = Path(arguments[arguments.index("-D") + 1])
        assert list(target.iterdir()) == []
        self.copied += 1
        fill(target, PG_VERSION="16")
        if self.breaks_off:
            raise PrepareError("pg_basebackup failed: the connection is gone")
        fill(target, **{"postgresql.auto.conf": "", "standby.signal": "", "paid": "what the primary has"})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_whole_copy_replaces_them_and_is_not_made_again(server: Postgres, world: World) -> None:
    for _ in range(2):
        follower.copy(server, PRIMARY)
        assert (holds(server)["paid"], "fenced" in holds(server)) == ("what the primary has", False)
    assert world.copied == 1
    assert beside(server) == []


@pytest.mark.parametrize(
    ("says", "refused"),
    [
        (PrepareError("psql failed: Connection refused"), "does not answer: .*Connection refused"),
        (f"t|{CLUSTER}\n", "takes no writes"),
        ("f|43\n", "another database cluster"),
    ],
)
def test_they_stay_as_they_were_where_nobody_can_be_followed(
    server: Postgres, world: World, says: str | PrepareError, refused: str
) -> None:
    world.says = says
    with pytest.raises(PrepareError, match=f"nothing was changed: .*{refused}"):
        follower.copy(server, PRIMARY)
    assert (holds(server), world.copied) == (ITS_OWN, 0)


def test_they_stay_as_they_were_where_the_copy_breaks_off_and_the_next_one_is_whole(
    server: Postgres, world: World
) -> None:
    world.breaks_off = True
    with pytest.raises(PrepareError, match="the connection is gone"):
        follower.copy(server, PRIMARY)
    assert holds(server) == ITS_OWN
    world.breaks_off = False
    follower.copy(server, PRIMARY)
    assert holds(server)["paid"] == "what the primary has"
    assert beside(server) == []


def test_they_are_put_back_where_a_copy_was_killed_between_its_two_renames(
    server: Postgres, world: World
) -> None:
    data = unprivileged.data_directory(server.directory).resolve()
    data.rename(data.with_name(f"{data.name}.replaced"))
    unprivileged.data_directory(data.with_name(f"{data.name}.copying"))
    world.says = PrepareError("psql failed: Connection refused")
    with pytest.raises(PrepareError, match="nothing was changed"):
        follower.copy(server, PRIMARY)
    assert holds(server) == ITS_OWN


def test_what_is_no_whole_database_is_not_replaced(server: Postgres, world: World) -> None:
    data = unprivileged.data_directory(server.directory).resolve()
    (data / "PG_VERSION").unlink()
    with pytest.raises(PrepareError, match=r"nothing was changed: .*is not empty"):
        follower.copy(server, PRIMARY)
    assert (holds(server)["paid"], world.copied) == (ITS_OWN["paid"], 0)
