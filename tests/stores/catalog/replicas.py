"""The catalog as `python -m services.catalog` serves it: processes that a test may kill."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from devstack import throwaway
from tests.signing import AUDIENCE, ISSUER
from tests.stores.catalog.shop import INTERNAL_KEY

START_DEADLINE = 30.0
MEDIA = Path(tempfile.gettempdir(), f"catalog-media-of-tests-{os.getuid()}")
"""Empty: no test of these processes stores a picture."""


def environment(database_url: str, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_URL": "http://127.0.0.1:9/.well-known/jwks.json",
        "REDIS_URL": "redis://127.0.0.1:9",
        "CATALOG_DATABASE_URL": database_url,
        "INTERNAL_API_KEY": INTERNAL_KEY,
        "MEDIA_URL": MEDIA.as_uri(),
        "LOG_LEVEL": "ERROR",
        **more,
    }


def command(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of its commands, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "services.catalog", *arguments],
        env=environment(database_url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Replica:
    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        self._port = throwaway.free_port()
        self._variables = {**variables, "CATALOG_PORT": str(self._port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.catalog"], env=self._variables, stderr=log
            )

    def await_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the catalog did not start: {self._log.read_text()}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None
