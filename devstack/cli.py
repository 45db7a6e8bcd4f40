"""The commands: each talks to the supervisor's control socket, or becomes the supervisor."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from devstack import check, control, gateway_part, logs, orphans, running, terminal, unprivileged
from devstack.declaration import declaration
from devstack.errors import DevstackError, NotRunningError
from devstack.secret_store import load_or_create
from devstack.settings import ROOT, Settings
from devstack.topology import server

POLL_INTERVAL = 0.1  # seconds
STOP_DEADLINE = 60.0


def up(settings: Settings, *, detach: bool, fresh: bool) -> int:
    """Bring the stack up: in this terminal until Ctrl-C, or detached, returning once it is healthy."""
    running.require_own_state(settings)
    if _is_running(settings):
        if fresh:
            raise DevstackError("the stack is running: stop it (down) before a fresh start")
        _require_no_new_part(settings)
        print("The stack runs already.")
        return status(settings)
    if fresh:
        forget_everything(settings)
    if detach:
        return _up_detached(settings)
    running.run(settings, show_logs=True)
    return 0


def _require_no_new_part(settings: Settings) -> None:
    """Raises DevstackError where gatehouse.toml declares a process that the running stack started without."""
    try:
        started = {part["name"] for part in control.ask(settings.control_socket, command="status")["parts"]}
    except NotRunningError:  # it does not answer: `status` says what to do
        return
    if new := [name for name in declaration().processes if name not in started]:
        raise DevstackError(f"the stack runs without {', '.join(new)}: make down, then make up")


def down(settings: Settings) -> int:
    """Stop everything and wait until it is gone."""
    try:
        control.ask(settings.control_socket, command="down")
    except NotRunningError:
        if not running.is_locked(settings):
            ended = orphans.end(settings.process_list)
            print(f"The stack was not running{f'; ended {ended} processes that it left' if ended else ''}.")
            return 0
        _end_supervisor(settings)
    give_up = time.monotonic() + STOP_DEADLINE
    while running.is_locked(settings):
        if time.monotonic() > give_up:
            raise DevstackError(f"the stack did not stop within {STOP_DEADLINE:.0f} seconds")
        time.sleep(POLL_INTERVAL)
    print("Stopped.")
    return 0


def status(settings: Settings) -> int:
    """Print every part's state. 0: all ready, 1: not all, 3: nothing runs."""
    try:
        answer = control.ask(settings.control_socket, command="status")
    except NotRunningError as error:
        if running.is_locked(settings):
            print(f"The stack runs, and does not answer at {settings.control_socket}: `down` stops it.")
            return 1
        print(error)
        return 3
    print(terminal.table(answer["parts"]))
    for part in answer["parts"]:
        if part["reason"]:
            print(f"\n{part['name']}: {part['reason']}")
    return 0 if all(part["state"] == "ready" for part in answer["parts"]) else 1


def restart(settings: Settings, name: str) -> int:
    """Let the gateway take over its edited template without a gap; start any other part anew."""
    print(control.ask(settings.control_socket, command="restart", name=name)["said"])
    return 0


def stop(settings: Settings, name: str) -> int:
    """End a part; it stays down until `restart`."""
    control.ask(settings.control_socket, command="stop", name=name)
    return 0


def kill(settings: Settings, name: str, signal_name: str) -> int:
    """Send a signal to a part's process."""
    control.ask(settings.control_socket, command="kill", name=name, signal=signal_name)
    return 0


def show_logs(settings: Settings, name: str | None, *, lines: int, follow: bool) -> int:
    """Print the last lines of one part or of all; with `follow`, go on until Ctrl-C."""
    log = name or logs.EVERYTHING
    try:
        position = logs.show(settings.logs, log, lines)
        while follow:
            time.sleep(POLL_INTERVAL)
            position = logs.continue_from(settings.logs, log, position)
    except FileNotFoundError:
        raise DevstackError(f"there is no log of {log!r} in {settings.logs}") from None
    except KeyboardInterrupt:
        return 0
    return 0


def check_template(settings: Settings) -> int:
    """Render and read kong.yml.template without starting anything."""
    configuration = check.check(ROOT / gateway_part.TEMPLATE, settings.passed_on)
    counted = ", ".join(
        f"{len(entities)} {kind}"
        for kind, entities in (
            ("services", configuration.services),
            ("routes", configuration.routes),
            ("plugins", configuration.plugins),
        )
    )
    print(f"{gateway_part.TEMPLATE}: {counted}")
    return 0


def _end_supervisor(settings: Settings) -> None:
    """Ask a supervisor to stop whose socket is gone: something has tidied up, or it is only just starting."""
    supervisor = running.supervisor_pid(settings)
    if supervisor is None:
        raise DevstackError(
            f"no stack that could be ended has its state in {settings.state}: one is just starting, "
            "or a restore is under way, which comes to its end by itself"
        )
    with contextlib.suppress(ProcessLookupError):
        os.kill(supervisor, signal.SIGTERM)


def forget_everything(settings: Settings) -> None:
    """Remove data, logs and secrets: what devstack made there, and nothing else that the directory may hold."""
    unprivileged.discard(settings.state / "postgres")
    for directory in (
        settings.state / "redis",
        *(settings.state / files.volume for _, files in declaration().with_files("development")),
        settings.gateway_state,
        settings.logs,
        settings.runtime,
    ):
        shutil.rmtree(directory, ignore_errors=True)
    for file in (settings.secrets_file, settings.rendered, settings.process_list):
        file.unlink(missing_ok=True)


def _up_detached(settings: Settings) -> int:
    settings.logs.mkdir(parents=True, exist_ok=True)
    print(running.gateway_line(settings))
    last_words = settings.logs / "supervisor.log"
    with last_words.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-E", "-m", "devstack", "supervise"],
            cwd=ROOT,
            env={name: value for name, value in settings.passed_on.items() if not name.startswith("LD_")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the terminal's Ctrl-C is not for it
        )
    try:
        answer = _follow_start(settings, supervisor)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise
    if answer is None:
        raise DevstackError(
            last_words.read_text(errors="replace").strip() or "the supervisor ended without a word"
        )
    print(terminal.addresses(answer["parts"], settings.url("GATEWAY_ADMIN_PORT")))
    print(running.next_steps(settings))
    return 0


def _follow_start(settings: Settings, supervisor: subprocess.Popen[bytes]) -> Mapping[str, Any] | None:
    """Show each part's progress until the stack is up; None if the supervisor ended instead."""
    shown: dict[str, str] = {}
    while supervisor.poll() is None:
        try:
            answer = control.ask(settings.control_socket, command="status")
        except NotRunningError:
            time.sleep(POLL_INTERVAL)
            continue
        for part in answer["parts"]:
            if part["state"] not in ("waiting", "stopped") and shown.get(part["name"]) != part["state"]:
                shown[part["name"]] = part["state"]
                print(terminal.progress(part), flush=True)
        if answer["up"] or (settings.follows and _follows_by_now(settings, answer["parts"])):
            return answer
        time.sleep(POLL_INTERVAL)
    return None


def _follows_by_now(settings: Settings, parts: Sequence[Mapping[str, Any]]) -> bool:
    """Of a standby region: whether nothing is left to wait for but its promotion.

    Until PostgreSQL takes connections, it replays what its copy began with, and cannot be promoted.
    """
    states = {part["name"]: part["state"] for part in parts}
    waiting = (states["postgres"], states["kong"]) == ("starting", "ready")
    return waiting and server(settings, load_or_create(settings.secrets_file)).ready()


def _is_running(settings: Settings) -> bool:
    return running.is_locked(settings)
