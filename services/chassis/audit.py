"""What administrators do, kept on record: one log line each, under the logger `<service>.audit`, and a counter."""

import logging

from prometheus_client import CollectorRegistry, Counter

from services.chassis.identity import Identity


class AdminAudit:
    """Who did what: the account and the session of the token that came with the request."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self._log = logging.getLogger(f"{service}.audit")
        # Written whatever LOG_LEVEL is: who wants less noise does not want less evidence.
        self._log.setLevel(logging.INFO)
        self._actions = Counter(
            "admin_actions_total", "What administrators did, by kind.", ("event",), registry=registry
        )

    def record(self, action: str, who: Identity, **facts: object) -> None:
        """`facts`: what it was done to; nothing personal."""
        self._actions.labels(action).inc()
        self._log.info(
            action,
            extra={"action": action, "actor": str(who.subject), "session": str(who.session), **facts},
        )
