"""The supervisor's own process: takes the lock, starts the stack, stays until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator

from devstack import account, control, orphans, terminal
from devstack.errors import DevstackError
from devstack.gateway_part import real_kong
from devstack.logs import Logs
from devstack.part import Part
from devstack.secret_store import load_or_create
from devstack.settings import Settings
from devstack.supervisor import Supervisor
from devstack.topology import DEMO_DATA, public_origin, topology
from devstack.unit import Unit

RESTORE = "restore"
"""Is in the lock file while a restore holds it."""


def run(settings: Settings, *, show_logs: bool) -> None:
    """Start everything and block. Raises DevstackError, with nothing left running, if that cannot be."""
    require_own_state(settings)
    with only_one(settings):
        settings.runtime.mkdir(parents=True, exist_ok=True)
        account.require_own(settings.runtime)  # below /tmp somebody may have been faster
        settings.runtime.chmod(0o711)
        orphans.end(settings.process_list)
        parts = topology(settings, load_or_create(settings.secrets_file))
        logs = Logs(settings.logs, [part.name for part in parts], sys.stdout if show_logs else None)
        try:
            asyncio.run(_supervise(settings, parts, logs))
        except DevstackError as error:
            if not show_logs:  # there the caller says it
                logs.write("devstack", str(error))
            raise
        finally:
            logs.close()


async def _supervise(settings: Settings, parts: list[Part], logs: Logs) -> None:
    def changed(unit: Unit) -> None:
        logs.write("devstack", f"{unit.part.name} is {unit.state.value}")

    supervisor = Supervisor(parts, logs, settings.process_list, changed)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.ask_to_stop)

    logs.write("devstack", gateway_line(settings))
    server = await control.serve(supervisor, settings.control_socket)
    try:
        start = asyncio.create_task(supervisor.start())
        asked = asyncio.create_task(supervisor.asked_to_stop())
        await asyncio.wait({start, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not start.done():
            start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await start
        asked.cancel()
        if not supervisor.stopping:
            status = supervisor.status()
            admin = settings.url("GATEWAY_ADMIN_PORT")
            logs.write("devstack", f"up\n{terminal.addresses(status, admin)}\n{next_steps(settings)}")
        await supervisor.asked_to_stop()
        await supervisor.stop()
        logs.write("devstack", "stopped")
    finally:
        server.close()
        settings.control_socket.unlink(missing_ok=True)


def next_steps(settings: Settings) -> str:
    """For whoever has just started the stack."""
    origin = public_origin(settings)
    demo = (settings.passed_on.get("DEMO_DATA") or DEMO_DATA).lower() == "true"
    return terminal.next_steps(origin, demo=demo)


def gateway_line(settings: Settings) -> str:
    if real_kong(settings):
        return "gateway: the Kong on the PATH"
    return "gateway: no `kong` on the PATH, so the stand-in takes its place (a development aid)"


@contextlib.contextmanager
def only_one(settings: Settings, holder: str | None = None) -> Iterator[None]:
    """Holds the lock. `holder` is what the lock file says; without one it is the process that `down` may end."""
    settings.state.mkdir(parents=True, exist_ok=True)
    with settings.lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DevstackError(
                f"a stack runs already with its state in {settings.state}, or a restore of it"
            ) from None
        lock.truncate(0)
        lock.write(f"{holder or os.getpid()}\n")  # true for as long as the lock is held
        lock.flush()
        yield


def require_own_state(settings: Settings) -> None:
    """Raises PrepareError where the data there are somebody else's."""
    account.require_own(settings.state)
    if settings.runtime.is_symlink():
        raise DevstackError(f"{settings.runtime} is a link: nothing is started there")
    account.require_own(settings.runtime)


def supervisor_pid(settings: Settings) -> int | None:
    """The process that holds the lock; None where nobody does, or a restore, which must not be broken off."""
    if not is_locked(settings):
        return None
    text = settings.lock_file.read_text().strip()
    return int(text) if text.isdigit() else None


def is_locked(settings: Settings) -> bool:
    """Whether a supervisor lives that has its state there."""
    try:
        with settings.lock_file.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
