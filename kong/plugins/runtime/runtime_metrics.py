"""What the runtime counts of its own work."""

from __future__ import annotations

from kong.plugins.runtime import metrics

OUTCOMES = ("returned", "exited", "failed", "deadline", "abandoned", "shed", "stopped")
"""abandoned: Kong or the client went away; shed: too many events at once; stopped: the worker could not wait longer."""

CONNECTIONS = metrics.gauge("kong_plugin_connections", "Open connections from Kong.")
RUNNING = metrics.gauge("kong_plugin_running_events", "Events that are running, the overdue ones included.")
LOOP_LAG = metrics.histogram("event_loop_lag_seconds", "How late a timer of the event loop came.")
CONNECTIONS_ENDED = metrics.counter(
    "kong_plugin_connections_ended_total",
    "Connections that the server ended.",
    reason=("malformed", "oversized", "stalled", "crowded", "unknown_instance", "start_refused", "failed"),
)
REFUSED_BY_KONG = metrics.counter(
    "kong_plugin_statements_unconfirmed_total",
    "Statements that Kong had not confirmed when it dropped the connection.",
)


class PhaseMetrics:
    """The series of one phase of the plugin."""

    def __init__(self, phase: str) -> None:
        events = _events
        self.outcomes = {outcome: events.labels(phase=phase, outcome=outcome) for outcome in OUTCOMES}
        self.questions = _calls.labels(phase=phase, kind="question")
        self.statements = _calls.labels(phase=phase, kind="statement")
        self.seconds = metrics.histogram(
            "kong_plugin_event_seconds",
            "From an event's arrival to its last byte, waiting for Kong included.",
            phase=phase,
        )


_PHASES = ("certificate", "rewrite", "access", "response")
_events = metrics.counter(
    "kong_plugin_events_total", "Events by how they ended.", phase=_PHASES, outcome=OUTCOMES
)
_calls = metrics.counter(
    "kong_plugin_pdk_calls_total", "PDK calls sent to Kong.", phase=_PHASES, kind=("question", "statement")
)
PHASE_METRICS = {phase: PhaseMetrics(phase) for phase in _PHASES}
