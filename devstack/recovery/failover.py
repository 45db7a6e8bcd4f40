"""`failover`: this standby region takes over from the one that it follows.

Fence, then promote (pair.py). What cannot be fenced is not taken over from, unless a person says that it is down.
"""

from __future__ import annotations

import time
from pathlib import Path

from devstack import cli, control, running, unprivileged
from devstack.errors import DevstackError
from devstack.postgres import SUPERUSER, Postgres
from devstack.recovery import follower, script
from devstack.secret_store import load_or_create
from devstack.settings import Settings, locate
from devstack.topology import server

UP_WITHIN = 120.0
"""Seconds from the promotion until every part is ready, on a busy machine."""


def failover(settings: Settings, former: Path | None, *, is_down: bool) -> int:
    """Prints how long each step took. `former`: the other region's state directory, where this machine has it."""
    if not settings.follows:
        raise DevstackError("this stack follows nobody (DEVSTACK_FOLLOWS)")
    if not running.is_locked(settings):
        raise DevstackError("this region does not run: make up first")
    if former is None and not is_down:
        raise DevstackError(
            f"nothing was changed: fence {settings.follows} first, so that it never takes a write again, and say so "
            "with --it-is-down; or name its state directory with --fence"
        )
    postgres = server(settings, load_or_create(settings.secrets_file))
    follower.until_it_answers(postgres)  # before the fence: else both regions would be down
    if former is not None:
        _require_primary(locate({"DEVSTACK_DIR": str(former)}), settings, postgres)
    begun = time.monotonic()
    if former is not None:
        _fence(locate({"DEVSTACK_DIR": str(former)}))
        print(f"{1000 * (time.monotonic() - begun):5.0f} ms  {former} is fenced")
    if not follower.takes_writes(postgres):
        print(f"its latest commit is {follower.behind(postgres):.1f} s old")
        script.run(postgres, "promote", NAME="this region", PEER=settings.follows)
    print(f"{1000 * (time.monotonic() - begun):5.0f} ms  PostgreSQL takes writes")
    give_up = time.monotonic() + UP_WITHIN
    while not control.ask(settings.control_socket, command="status")["up"]:
        if time.monotonic() > give_up:
            raise DevstackError(f"not every part was ready within {UP_WITHIN:.0f} s: make status")
        time.sleep(cli.POLL_INTERVAL)
    print(f"{1000 * (time.monotonic() - begun):5.0f} ms  every part is ready")
    return 0


def _require_primary(former: Settings, here: Settings, postgres: Postgres) -> None:
    """A wrong directory would be fenced, and the region that was meant would go on beside this one."""
    if former.state.resolve() == here.state.resolve():
        raise DevstackError(f"nothing was changed: {former.state} is this region's own")
    data = former.state / "postgres"
    try:
        theirs = follower.system_identifier(data)
    except OSError as fault:
        raise DevstackError(
            f"nothing was changed: {former.state} has no PostgreSQL ({fault.strerror})"
        ) from None
    if theirs != int(postgres.ask(SUPERUSER, "SELECT system_identifier FROM pg_control_system()")):
        raise DevstackError(
            f"nothing was changed: the data in {former.state} are of another database cluster than those of this region"
        )
    if (data / "standby.signal").exists() and not (data / follower.FENCED).exists():
        raise DevstackError(
            f"nothing was changed: the PostgreSQL of {former.state} is no primary: it follows one"
        )


def _fence(former: Settings) -> None:
    """It is down, and whoever starts its PostgreSQL finds a standby, which takes over from nobody."""
    cli.down(former)
    data = unprivileged.data_directory(former.state / "postgres")
    for name in ("standby.signal", follower.FENCED):
        (data / name).touch()
        if unprivileged.account() is not None:
            unprivileged.hand_over(data / name)
