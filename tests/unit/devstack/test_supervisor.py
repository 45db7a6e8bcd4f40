"""What the supervisor promises of its parts, seen on small real processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from devstack.errors import DevstackError, PrepareError
from devstack.logs import Logs
from devstack.part import Part
from devstack.supervisor import Supervisor
from devstack.throwaway import free_port
from devstack.unit import Unit
from tests.unit.devstack.parts import part
from tests.waiting import ended, until


class Watched:
    """A supervisor, its log, and the order in which its parts changed."""

    def __init__(self, directory: Path, parts: list[Part]) -> None:
        self.directory = directory
        self.changes: list[tuple[str, str]] = []
        self.logs = Logs(directory / "log", [part.name for part in parts])
        self.supervisor = Supervisor(parts, self.logs, directory / "processes.json", self._changed)

    def _changed(self, unit: Unit) -> None:
        self.changes.append((unit.part.name, unit.state.value))

    def state(self, name: str) -> str:
        return next(str(entry["state"]) for entry in self.supervisor.status() if entry["name"] == name)

    def pid(self, name: str) -> int:
        return int((self.directory / name).read_text())


Watch = Callable[..., Watched]


@pytest_asyncio.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """Makes supervisors; whatever they still run in the end is stopped."""
    made: list[Watched] = []

    def make(*parts: Part) -> Watched:
        made.append(Watched(tmp_path, list(parts)))
        return made[-1]

    yield make
    for watched in made:
        await watched.supervisor.stop()
        watched.logs.close()


async def test_starts_each_part_when_what_it_needs_is_ready_and_stops_in_the_opposite_order(
    tmp_path: Path,
    watch: Watch,
) -> None:
    watched = watch(
        part(tmp_path, "top", needs=("middle",)),
        part(tmp_path, "base"),
        part(tmp_path, "middle", needs=("base",)),
    )
    await watched.supervisor.start()
    starts = [change for change in watched.changes if change[1] in ("starting", "ready")]
    assert starts == [(name, state) for name in ("base", "middle", "top") for state in ("starting", "ready")]

    pids = [watched.pid(name) for name in ("base", "middle", "top")]
    await watched.supervisor.stop()
    assert [name for name, state in watched.changes if state == "stopped"] == ["top", "middle", "base"]
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("dies", "bad ended with status 7 while it started"), ("never ready", "bad was not ready within")],
)
async def test_a_part_that_does_not_come_up_takes_everything_down_and_is_quoted(
    tmp_path: Path, watch: Watch, behaviour: str, reason: str
) -> None:
    watched = watch(
        part(tmp_path, "good"),
        part(tmp_path, "bad", behaviour, needs=("good",)),
        part(tmp_path, "after", needs=("bad",)),
    )
    with pytest.raises(DevstackError) as failure:
        await watched.supervisor.start()
    assert reason in str(failure.value)
    assert "hello from bad" in str(failure.value)
    assert not psutil.pid_exists(watched.pid("good"))
    assert (watched.state("good"), watched.state("bad"), watched.state("after")) == (
        "stopped",
        "failed",
        "stopped",
    )


async def test_a_taken_port_stops_the_start_before_anything_runs(tmp_path: Path, watch: Watch) -> None:
    port = free_port()
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
    watched = watch(part(tmp_path, "first"), replace(part(tmp_path, "web"), ports=(port,)))
    async with server:
        with pytest.raises(
            DevstackError, match=f"port {port}, which web needs, is taken by process {os.getpid()}"
        ):
            await watched.supervisor.start()
    assert watched.changes == []


async def test_a_dead_part_is_started_again_and_counted(tmp_path: Path, watch: Watch) -> None:
    watched = watch(part(tmp_path, "only"))
    await watched.supervisor.start()
    before = watched.pid("only")
    watched.supervisor.kill("only", signal.SIGKILL)
    await until(lambda: watched.supervisor.status()[0]["restarts"] == 1 and watched.state("only") == "ready")
    assert watched.pid("only") != before
    await watched.supervisor.stop()
    assert not psutil.pid_exists(watched.pid("only"))


async def test_a_stopped_part_stays_down_until_it_is_restarted(tmp_path: Path, watch: Watch) -> None:
    watched = watch(part(tmp_path, "only"))
    await watched.supervisor.start()
    await watched.supervisor.stop_one("only")
    await asyncio.sleep(0.3)
    assert watched.state("only") == "stopped"
    await watched.supervisor.restart("only")
    assert (watched.state("only"), watched.supervisor.status()[0]["restarts"]) == ("ready", 0)


async def test_while_a_restart_is_refused_beforehand_what_runs_goes_on_running(
    tmp_path: Path, watch: Watch
) -> None:
    refused = False

    def prepare() -> None:
        if refused:
            raise PrepareError("line 3 is wrong")
        (tmp_path / "only").unlink(missing_ok=True)

    watched = watch(replace(part(tmp_path, "only"), prepare=prepare))
    await watched.supervisor.start()
    before, refused = watched.pid("only"), True
    with pytest.raises(PrepareError, match="line 3 is wrong"):
        await watched.supervisor.restart("only")
    assert (watched.state("only"), psutil.pid_exists(before)) == ("ready", True)


async def test_one_that_ignores_the_signal_is_killed_after_its_deadline(tmp_path: Path, watch: Watch) -> None:
    watched = watch(part(tmp_path, "deaf", "stubborn"))
    await watched.supervisor.start()
    await watched.supervisor.stop()
    assert not psutil.pid_exists(watched.pid("deaf"))


async def test_children_of_a_part_go_with_it(tmp_path: Path, watch: Watch) -> None:
    watched = watch(part(tmp_path, "family", "parent"))
    await watched.supervisor.start()
    await until((tmp_path / "family.child").exists)
    child = int((tmp_path / "family.child").read_text())
    await watched.supervisor.stop()
    await until(lambda: ended(child))


async def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path, watch: Watch) -> None:
    watched = watch(part(tmp_path, "auth"), part(tmp_path, "bff"))
    with pytest.raises(DevstackError, match="there is no part 'kongg'; the parts are auth, bff"):
        await watched.supervisor.restart("kongg")


async def test_every_line_is_in_the_parts_log_and_prefixed_in_the_common_one(
    tmp_path: Path, watch: Watch
) -> None:
    watched = watch(part(tmp_path, "auth"), part(tmp_path, "bff"))
    await watched.supervisor.start()
    await watched.supervisor.stop()
    assert (tmp_path / "log" / "auth.log").read_text() == "hello from auth\n"
    assert {"auth     | hello from auth", "bff      | hello from bff"} <= set(
        (tmp_path / "log" / "all.log").read_text().splitlines()
    )
