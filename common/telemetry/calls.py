"""Calls to other parts and to Redis, as their caller sees them: how many, how they ended, how long they took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from common.telemetry.durations import Durations, Named
from common.telemetry.metrics import REQUEST_BOUNDS_S


class OutgoingCalls:
    """`target` is the address of a part as the configuration has it, so there are as many as parts are called."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Durations(
            registry,
            Named(
                "http_client_requests",
                "Calls to another part, by how they ended: a class of statuses, or failed.",
            ),
            Named(
                "http_client_request_duration_seconds",
                "Time from a call until its answer, or until it failed.",
            ),
            ("target", "outcome"),
            timed=1,
            bounds=REQUEST_BOUNDS_S,
        )

    def ended(self, target: str, status: int | None, seconds: float) -> None:
        """`status` is None where no answer came."""
        outcome = f"{status // 100}xx" if status is not None and 100 <= status < 600 else "failed"
        self._calls.observe((target, outcome), seconds)


class RedisCommands:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "redis_commands_total", "Commands to Redis, by how they ended.", ("outcome",), registry=registry
        )
        for outcome in ("answered", "failed"):
            self._count.labels(outcome)
        self._seconds = Histogram(
            "redis_command_duration_seconds",
            "Time from a command to Redis until its answer, or until it failed.",
            buckets=REQUEST_BOUNDS_S,
            registry=registry,
        )

    def ended(self, answered: bool, seconds: float) -> None:
        self._count.labels("answered" if answered else "failed").inc()
        self._seconds.observe(seconds)
