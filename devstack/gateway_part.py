"""The gateway's part: the real Kong where `kong` is on the PATH, else the stand-in.

Both are started through kong/entrypoint.sh with the same variables and the same rendered file.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from devstack import check, probes
from devstack.command import Command
from devstack.environment import for_children
from devstack.errors import PrepareError
from devstack.part import Part
from devstack.settings import LOOPBACK, PLAIN_PATH, ROOT, Settings

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")
TEMPLATE = "kong.yml.template"  # KONG_TEMPLATE names another
NO_PLACE = "does not say where"
"""Of kong/reload.sh, where Kong's own code breaks off over a mistake: then the project's check may know the line."""
GUARD = Path(__file__).with_name("guard.py")


def real_kong(settings: Settings) -> bool:
    """DEVSTACK_GATEWAY=stand-in keeps an installed Kong out of it."""
    return settings.passed_on.get("DEVSTACK_GATEWAY") != "stand-in" and _which(settings, "kong") is not None


def gateway(settings: Settings, values: dict[str, str], needs: tuple[str, ...]) -> Part:
    """`values` are the template's variables."""
    admin = settings.ports["GATEWAY_ADMIN_PORT"]
    environment = {**_given(settings), **values, **_kong_environment(settings)}
    return Part(
        name="kong",
        check=lambda: _check(settings, environment),
        prepare=lambda: _prepare(settings, environment),
        reload=lambda: _reload(settings, environment),
        remark=lambda: _remark(settings),
        command=lambda: _command(settings, environment),
        ready=probes.http(admin, "/status"),
        needs=needs,
        ports=(settings.ports["GATEWAY_PORT"], admin, settings.ports["GATEWAY_STATUS_PORT"]),
        url=settings.url("GATEWAY_PORT"),
        metrics=settings.url("GATEWAY_STATUS_PORT") + "/metrics",
        note="" if real_kong(settings) else "stand-in",
    )


def _given(settings: Settings) -> dict[str, str]:
    """Kong's own variables, and those that the template names."""
    template = Path(settings.passed_on.get("KONG_TEMPLATE") or ROOT / TEMPLATE)
    try:
        named = set(_VARIABLE.findall(template.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        named = set()  # render.sh says what is wrong with it
    return {
        name: value for name, value in settings.passed_on.items() if name.startswith("KONG_") or name in named
    }


def _kong_environment(settings: Settings) -> dict[str, str]:
    return {
        "KONG_TEMPLATE": settings.passed_on.get("KONG_TEMPLATE") or str(ROOT / TEMPLATE),
        "KONG_DECLARATIVE_CONFIG": str(settings.rendered),
        "KONG_PLUGINS_DIR": str(settings.plugins),
        "KONG_CONTROL_DIR": str(settings.runtime / "gateway"),
        "KONG_STATE_DIR": str(settings.gateway_state),
        "KONG_PREFIX": str(settings.runtime / "kong"),
        "KONG_PROXY_LISTEN": f"{LOOPBACK}:{settings.ports['GATEWAY_PORT']}",
        "KONG_ADMIN_LISTEN": f"{LOOPBACK}:{settings.ports['GATEWAY_ADMIN_PORT']}",
        "KONG_STATUS_LISTEN": f"{LOOPBACK}:{settings.ports['GATEWAY_STATUS_PORT']}",
        "KONG_NGINX_DAEMON": "off",
        **_workers_account(),
        "KONG_NGINX_WORKER_PROCESSES": settings.passed_on.get("KONG_NGINX_WORKER_PROCESSES", "2"),
    }


def _scripts(settings: Settings) -> Path:
    """kong/ of this checkout, by a path that nginx's configuration takes without quotes."""
    own = ROOT / "kong"
    return own if PLAIN_PATH.fullmatch(str(own)) else settings.runtime / "gatehouse"


def _workers_account() -> dict[str, str]:
    """Under root nginx would give its workers to a user who can reach neither sockets nor prefix."""
    try:
        user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    except KeyError:
        return {}  # an account without a name is not root's, and then nginx does not ask
    return {"KONG_NGINX_USER": f"{user} {group}"}


def _check(settings: Settings, environment: dict[str, str]) -> None:
    """Render once before a start that somebody asked for. Such a start does not fall back on an older configuration."""
    (settings.gateway_state / "kong.yml").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        _script(settings, environment, "render.sh", environment["KONG_TEMPLATE"], f"{directory}/kong.yml")


def _reload(settings: Settings, environment: dict[str, str]) -> str:
    """Raises PrepareError, with nothing changed, where Kong refuses the template."""
    try:
        return _script(settings, environment, "reload.sh")
    except PrepareError as refused:
        if NO_PLACE not in str(refused):
            raise
        try:
            check.check(Path(environment["KONG_TEMPLATE"]), {**settings.passed_on, **environment})
        except PrepareError as found:
            raise PrepareError(f"{found}\n{refused}") from found
        raise


def _script(settings: Settings, environment: dict[str, str], name: str, *arguments: str) -> str:
    finished = subprocess.run(
        ["sh", str(ROOT / "kong" / name), *arguments],
        cwd=ROOT,
        env={**for_children(settings.passed_on), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise PrepareError(finished.stderr.strip())
    return finished.stdout.strip()


def _remark(settings: Settings) -> str:
    for left, said in (
        ("fallback", "runs on an older configuration than the template, since"),
        ("broken", "runs, and does not work:"),
    ):
        with suppress(FileNotFoundError):
            return f"{said}\n{Path(f'{settings.rendered}.{left}').read_text().strip()}"
    return ""


def _prepare(settings: Settings, environment: dict[str, str]) -> None:
    prefix = Path(environment["KONG_PREFIX"])
    for leftover in [*prefix.glob("*"), *prefix.glob("sockets/*"), prefix / "pids" / "nginx.pid"]:
        if (
            leftover.is_socket() or leftover.suffix == ".pid"
        ):  # of a Kong that was killed: a new one would trip
            leftover.unlink(missing_ok=True)
    prefix.mkdir(parents=True, exist_ok=True)
    link = _scripts(settings)
    if link.parent == settings.runtime:
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / "kong")


def _command(settings: Settings, environment: dict[str, str]) -> Command:
    entrypoint = ("sh", str(_scripts(settings) / "entrypoint.sh"))
    if not real_kong(settings):
        return Command((*entrypoint, sys.executable, "-m", "devstack.gateway"), env=environment, cwd=ROOT)
    guarded = (sys.executable, "-I", "-S", str(GUARD))
    # As its image says: requests in flight end first.
    return Command((*guarded, *entrypoint, "kong", "start"), env=environment, cwd=ROOT, stop=signal.SIGQUIT)


def _which(settings: Settings, program: str) -> str | None:
    return shutil.which(program, path=settings.passed_on.get("PATH"))
