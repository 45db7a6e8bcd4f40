"""A standby region takes over in the order in which nothing can be lost: what it asks, and of which answer it waits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from devstack import running
from devstack.errors import DevstackError, NotReadyError, PrepareError
from devstack.postgres import Postgres
from devstack.recovery import failover, follower
from devstack.settings import read
from devstack.throwaway import free_port

STARTING = "psql failed: FATAL:  the database system is not yet accepting connections"
ENDING = "psql failed: FATAL:  terminating connection due to administrator command"


@dataclass
class Server:
    """What pg_isready finds, one after the other, and what is answered then."""

    found: Iterator[bool]
    answer: str | PrepareError = "t\n"
    asked: list[str] = field(default_factory=list)

    def ready(self) -> bool:
        return next(self.found)

    def ask(self, database: str, statement: str) -> str:
        self.asked.append(statement)
        if isinstance(self.answer, PrepareError):
            raise self.answer
        return self.answer


def postgres(*found: bool, answer: str | PrepareError = "t\n") -> Postgres:
    return cast(Postgres, Server(iter(found), answer))


def test_a_standby_on_its_way_up_is_waited_for_and_not_asked() -> None:
    server = postgres(False, False, True)
    follower.until_it_answers(server)
    assert cast(Server, server).asked == []


def test_one_that_takes_no_connections_is_named_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "ANSWERS_WITHIN", 0.0)
    with pytest.raises(NotReadyError, match=f"nothing was changed: .*{STARTING}"):
        follower.until_it_answers(postgres(False, False, answer=PrepareError(STARTING)))


@pytest.mark.parametrize(("answer", "writes"), [("f\n", True), ("t\n", False)])
def test_it_takes_writes_once_it_is_in_no_recovery(answer: str, writes: bool) -> None:
    assert follower.takes_writes(postgres(True, answer=answer)) is writes


def test_a_probe_of_one_that_goes_in_this_moment_says_no() -> None:
    assert not follower.takes_writes(postgres(True, answer=PrepareError(ENDING)))


@pytest.mark.parametrize(
    ("control", "refused"), [(None, "has no PostgreSQL"), (43, "another database cluster")]
)
def test_a_directory_that_is_not_of_the_other_region_is_not_fenced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control: int | None, refused: str
) -> None:
    """The region that was meant would go on beside this one."""
    monkeypatch.setattr(follower, "until_it_answers", lambda server: None)
    monkeypatch.setattr(running, "is_locked", lambda settings: True)
    monkeypatch.setattr(Postgres, "ask", lambda self, database, statement: "42\n")
    here = read({"DEVSTACK_DIR": str(tmp_path / "here"), "DEVSTACK_FOLLOWS": "127.0.0.1:1"})
    here.state.mkdir()
    other = tmp_path / "other"
    (other / "postgres" / "global").mkdir(parents=True)
    if control is not None:
        (other / "postgres" / "global" / "pg_control").write_bytes(control.to_bytes(8, sys.byteorder))
    with pytest.raises(DevstackError, match=f"nothing was changed: .*{refused}"):
        failover.failover(here, other, is_down=False)
    assert not (other / "postgres" / "standby.signal").exists()


@pytest.mark.parametrize(("whose", "refused"), [("here", "this region's own"), ("other", "is no primary")])
def test_what_follows_is_not_fenced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str, refused: str
) -> None:
    """Neither this region itself, by whatever name, nor a second one that follows the same primary."""
    monkeypatch.setattr(follower, "until_it_answers", lambda server: None)
    monkeypatch.setattr(running, "is_locked", lambda settings: True)
    monkeypatch.setattr(Postgres, "ask", lambda self, database, statement: "42\n")
    monkeypatch.setattr(failover, "_fence", lambda former: pytest.fail("it was fenced"))
    here = read({"DEVSTACK_DIR": str(tmp_path / "here"), "DEVSTACK_FOLLOWS": "127.0.0.1:1"})
    data = tmp_path / whose / "postgres"
    (data / "global").mkdir(parents=True)
    (data / "global" / "pg_control").write_bytes((42).to_bytes(8, sys.byteorder))
    (data / "standby.signal").touch()
    (tmp_path / "a link").symlink_to(tmp_path / whose)
    with pytest.raises(DevstackError, match=f"nothing was changed: .*{refused}"):
        failover.failover(here, tmp_path / "a link", is_down=False)


def test_one_that_was_fenced_before_is_fenced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failover that was broken off is repeated."""
    monkeypatch.setattr(follower, "until_it_answers", lambda server: None)
    monkeypatch.setattr(running, "is_locked", lambda settings: True)
    monkeypatch.setattr(Postgres, "ask", lambda self, database, statement: "42\n")

    def fence(former: object) -> None:
        raise DevstackError("fenced again")

    monkeypatch.setattr(failover, "_fence", fence)
    here = read({"DEVSTACK_DIR": str(tmp_path / "here"), "DEVSTACK_FOLLOWS": "127.0.0.1:1"})
    data = tmp_path / "other" / "postgres"
    (data / "global").mkdir(parents=True)
    (data / "global" / "pg_control").write_bytes((42).to_bytes(8, sys.byteorder))
    for name in ("standby.signal", follower.FENCED):
        (data / name).touch()
    with pytest.raises(DevstackError, match="fenced again"):
        failover.failover(here, tmp_path / "other", is_down=False)


def test_the_other_region_goes_on_where_this_one_could_not_take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fenced first, both would be down."""
    monkeypatch.setattr(follower, "ANSWERS_WITHIN", 0.0)
    monkeypatch.setattr(running, "is_locked", lambda settings: True)
    here = read(
        {
            "DEVSTACK_DIR": str(tmp_path / "here"),
            "DEVSTACK_FOLLOWS": "127.0.0.1:1",
            "POSTGRES_PORT": str(free_port()),
        }
    )
    here.state.mkdir()
    former = tmp_path / "former"
    former.mkdir()
    with pytest.raises(NotReadyError, match=r"nothing was changed: .*takes no connections: psql failed"):
        failover.failover(here, former, is_down=False)
    assert list(former.iterdir()) == []


def test_what_postgresql_refuses_is_told_with_what_it_was_asked(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "secret-password")
    with pytest.raises(PrepareError, match="Connection refused") as told:
        server.ask("postgres", "SELECT pg_is_in_recovery()")
    assert str(told.value).endswith("Asked of postgres: SELECT pg_is_in_recovery()")
    assert "secret-password" not in str(told.value)
