"""devstack, on free ports, with its state in a temporary directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from devstack import control, unprivileged
from devstack.settings import DEFAULT_PORTS, ROOT
from devstack.throwaway import free_ports, temporary_directory
from sandbox_provider.settings import DEVELOPMENT_WEBHOOK_SECRET
from tests.collector import Collector, collecting
from tests.e2e.stack import Published, RestartRefused

START_DEADLINE = 180.0  # seconds, on a busy machine


@dataclass(frozen=True)
class LocalStack(Published):
    directory: Path
    collector: Collector

    @property
    def traced_gateway(self) -> tuple[str, ...]:
        """Kong's name among the spans; the stand-in passes the context on, and has none of its own."""
        real = self.environment.get("DEVSTACK_GATEWAY") != "stand-in" and shutil.which("kong")
        return ("kong",) if real else ()

    @property
    def template(self) -> Path:
        return Path(self.environment["KONG_TEMPLATE"])

    def kill(self, name: str) -> None:
        self._checked("kill", name)

    def stop(self, name: str) -> None:
        self._checked("stop", name)

    def kill_worker(self, name: str) -> None:
        workers = self._processes(name)[1:]
        if workers:
            workers[0].kill()
        else:
            self.kill(name)

    def pause(self, name: str) -> None:
        for process in self._processes(name):
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self, name: str) -> None:
        for process in self._processes(name):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def secrets(self) -> list[str]:
        """All that it was started with."""
        made = json.loads((self.directory / "secrets.json").read_text())
        return [*made.values(), self.internal_key, DEVELOPMENT_WEBHOOK_SECRET]

    @property
    def postgres_url(self) -> str:
        password = json.loads((self.directory / "secrets.json").read_text())["postgres_password"]
        return f"postgresql://postgres:{password}@127.0.0.1:{self.environment['POSTGRES_PORT']}"

    def redis_url(self, user: str) -> str | None:
        secrets = json.loads((self.directory / "secrets.json").read_text())
        password = secrets[f"{user.replace('-', '_')}_redis_password"]
        return f"redis://{user}:{password}@127.0.0.1:{self.environment['REDIS_PORT']}/0"

    def mails(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.directory / "mail").glob("*.eml"))]

    def restart(self, name: str) -> str:
        finished = self.devstack("restart", name)
        if finished.returncode != 0:
            raise RestartRefused(finished.stderr)
        return finished.stdout

    def log(self) -> str:
        return (self.directory / "log" / "all.log").read_text(encoding="utf-8", errors="replace")

    def everything_logged(self) -> bytes:
        """By all parts, in files that had grown too large as well. Not by devstack itself: it tells people of the demo
        account."""
        files = sorted((self.directory / "log").glob("all.log*"), reverse=True)
        lines = b"".join(file.read_bytes() for file in files).splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(b"devstack "))

    def process_ids(self) -> list[int]:
        return [part["pid"] for part in self._parts() if part["pid"]]

    def _parts(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = control.ask(
            self.directory / "run" / "control.socket", command="status"
        )["parts"]
        return parts

    def _processes(self, name: str) -> list[psutil.Process]:
        """A part's own, then those below it. Raises AssertionError where it has none just now."""
        for part in self._parts():
            if part["name"] == name and part["pid"]:
                with suppress(psutil.NoSuchProcess):
                    process = psutil.Process(part["pid"])
                    return [process, *process.children(recursive=True)]
        raise AssertionError(f"{name} has no process just now")

    def devstack(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One devstack command on this stack."""
        return subprocess.run(
            [sys.executable, "-m", "devstack", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_DEADLINE,
            check=False,
        )

    def _checked(self, *arguments: str) -> None:
        finished = self.devstack(*arguments)
        if finished.returncode != 0:
            raise AssertionError(f"devstack {' '.join(arguments)}: {finished.stderr}")


@contextmanager
def prepared() -> Iterator[LocalStack]:
    """A stack of its own that is not started yet; whatever of it runs in the end is stopped."""
    with temporary_directory() as directory, collecting() as collector:
        template = directory / "kong.yml.template"
        shutil.copy(ROOT / "kong.yml.template", template)
        environment = {
            **os.environ,
            **{
                name: str(port)
                for name, port in zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True)
            },
            "DEVSTACK_DIR": str(directory),
            "KONG_TEMPLATE": str(template),
            "INTERNAL_API_KEY": "for-the-journeys-of-the-tests-only",
            "APP_ENV": "development",
            "DEMO_DATA": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_TRACES_SAMPLER_ARG": "1",
        }
        stack = LocalStack(environment, environment["INTERNAL_API_KEY"], directory, collector)
        try:
            yield stack
        finally:
            stack.devstack("down")
            unprivileged.discard(directory / "postgres")


@contextmanager
def running() -> Iterator[LocalStack]:
    with prepared() as stack:
        started = stack.devstack("up", "--detach")
        if started.returncode != 0:
            log = directory_log(stack.directory)
            raise AssertionError(f"the stack did not start:\n{started.stdout}{started.stderr}\n{log}")
        yield stack


def directory_log(directory: Path) -> str:
    """The last lines of everything, for a failure's message."""
    log = directory / "log" / "all.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return json.dumps(lines[-60:], indent=0)
