"""A part of the stack as the supervisor sees it, and its states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from devstack.command import Command


class State(StrEnum):
    WAITING = "waiting"  # for the parts that it needs
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # it died; another start follows
    FAILED = "failed"  # it died at a start that somebody asked for
    STOPPED = "stopped"


def nothing() -> None:
    """A part without a step before or after its start."""


@dataclass(frozen=True)
class Part:
    """One process. `prepare` and `finish` run in a thread, before every start and once it is ready."""

    name: str
    command: Callable[[], Command]
    ready: Callable[[], Awaitable[bool]]
    check: Callable[[], None] = nothing  # before a start that somebody asked for; raises DevstackError
    prepare: Callable[[], None] = nothing
    reload: Callable[[], str] | None = (
        None  # takes edits over while it runs, and says so; raises DevstackError
    )
    remark: Callable[[], str] = lambda: ""  # what is wrong with it although it is ready
    finish: Callable[[], None] = nothing
    needs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    url: str | None = None
    metrics: str | None = None  # the address of its metrics
    note: str = ""  # what a person should know about it, shown beside its name
    start_deadline: float = 120.0  # seconds; a cold, busy machine takes its time
    stop_deadline: float = 10.0  # seconds between the stop signal and SIGKILL
