"""What administrators do, on record: a log line for each change that one asked for and got, and a counter.

In the frame of every service and by the name of the call, so that none can be forgotten. What belongs to an order is in
its timeline as well, and what belongs to stock in its journal.
"""

import logging

from litestar.types import HTTPScope
from prometheus_client import CollectorRegistry, Counter

from services.chassis.identity import Identity

ADMIN = "admin"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_log = logging.getLogger("services.audit")
# Written whatever LOG_LEVEL is: who wants less noise does not want less evidence.
_log.setLevel(logging.INFO)


class AdminAudit:
    """A handler that changes nothing, whatever its method, says so by `audited=False`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._actions = Counter(
            "admin_actions_total", "What administrators did, by call.", ("event",), registry=registry
        )

    def note(self, scope: HTTPScope, status: int, *, replayed: bool) -> None:
        """After the answer. `replayed`: it was the answer to an earlier request with the same key, which was noted."""
        who, handler = scope.get("user"), scope.get("route_handler")
        if not isinstance(who, Identity) or ADMIN not in who.roles or replayed:
            return
        if scope["method"] in _READS or not 200 <= status < 300 or not handler.opt.get("audited", True):
            return
        action = str(getattr(handler, "operation_id", None) or scope["path_template"])
        self._actions.labels(action).inc()
        _log.info(
            action,
            extra={
                "action": action,
                "path": scope["path"],
                "actor": str(who.subject),
                "session": str(who.session),
            },
        )
