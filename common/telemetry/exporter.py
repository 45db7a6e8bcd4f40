"""Sends spans to a collector from a thread of its own: nobody waits for it, and it keeps a bounded number.

A batch that the collector does not take is dropped and counted; nothing is sent twice.
"""

import atexit
import http.client
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from common.telemetry import otlp
from common.telemetry.spans import Span

Outcome = Literal["exported", "dropped"]

MOST_WAITING = 4096
"""Spans; further ones are dropped."""
BATCH = 512
EVERY_S = 1.0
TIMEOUT_S = 5.0
LONGEST_PAUSE_S = 30.0
"""Between two attempts at a collector that is down; each failure doubles the pause."""
STOP_WITHIN_S = 0.8

log = logging.getLogger("common.telemetry")


class Exporter:
    """`endpoint` is the collector's base URL. `exported` and `dropped` count spans; `counted` hears of each change."""

    def __init__(
        self, service: str, endpoint: str, counted: Callable[[Outcome, int], None] = lambda *_: None
    ) -> None:
        self._service = service
        self._endpoint = urlsplit(endpoint.rstrip("/") + "/v1/traces")
        self._waiting: deque[Span] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._pause = 0.0
        self._sending = 0
        self._counted = counted
        self.exported = 0
        self.dropped = 0

    def start(self) -> None:
        self._thread.start()
        atexit.register(self.stop)

    @property
    def waiting(self) -> int:
        """Spans that are not sent yet, those that are just being sent included."""
        return len(self._waiting) + self._sending

    def add(self, spans: Sequence[Span]) -> None:
        """Never waits."""
        if len(self._waiting) + len(spans) > MOST_WAITING:
            self._drop(len(spans))
        else:
            self._waiting.extend(spans)

    def stop(self) -> None:
        """Sends what waits, for as long as `STOP_WITHIN_S` allows."""
        self._stopping.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        while not self._stopping.wait(max(EVERY_S, self._pause)):
            self._send_waiting(TIMEOUT_S)
        self._send_waiting(STOP_WITHIN_S)

    def _send_waiting(self, timeout: float) -> None:
        started = time.monotonic()
        while self._waiting:
            self._sending = min(BATCH, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(self._sending)]
            try:
                self._send(otlp.encode(self._service, batch), timeout)
            except (OSError, http.client.HTTPException) as fault:
                self._drop(len(batch))
                if not self._pause:
                    log.warning("the collector takes no traces", extra={"error": type(fault).__name__})
                self._pause = min(max(EVERY_S, self._pause * 2), LONGEST_PAUSE_S)
                return
            finally:
                self._sending = 0
            self.exported += len(batch)
            self._counted("exported", len(batch))
            self._pause = 0.0
            if self._stopping.is_set() and time.monotonic() - started > timeout:
                return

    def _drop(self, spans: int) -> None:
        self.dropped += spans
        self._counted("dropped", spans)

    def _send(self, body: bytes, timeout: float) -> None:
        """Raises OSError and HTTPException where the collector does not take it."""
        connection = _connection(self._endpoint, timeout)
        try:
            connection.request("POST", self._endpoint.path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        finally:
            connection.close()
        if status != 200:
            raise http.client.HTTPException(f"status {status}")


def _connection(endpoint: SplitResult, timeout: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if endpoint.scheme == "https" else http.client.HTTPConnection
    return kind(endpoint.hostname or "", endpoint.port, timeout=timeout)
