"""Security events: one log line each, under the logger `auth.audit`, and a counter by event."""

import logging

from prometheus_client import CollectorRegistry, Counter


class LoggedAudit:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._log = logging.getLogger("auth.audit")
        # Written whatever LOG_LEVEL is: who wants less noise does not want less evidence.
        self._log.setLevel(logging.INFO)
        self._events = Counter(
            "auth_security_events_total", "Security events by kind.", ("event",), registry=registry
        )

    def record(self, event: str, **facts: object) -> None:
        self._events.labels(event).inc()
        self._log.info(event, extra={"event": event, **facts})
