"""One event while Kong is asked the one question that mostly decides it (`at_once.py`).

| how it ends | what Kong is told |
| --- | --- |
| the answer decides it | what was decided, then the end of the event |
| the answer does not | what the whole phase says, which goes on with the answer (`event.py`) |
| the deciding function raises | exit 500 |
| its deadline passes, or the worker stops | exit 503 |
| Kong or the client is gone | nothing |
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Protocol

from kong.plugins.runtime import problems
from kong.plugins.runtime.event import KnownAnswer

if TYPE_CHECKING:
    from kong.plugins.runtime.at_once import AtOnce
    from kong.plugins.runtime.host import Host, Target
    from kong.plugins.runtime.instances import RunningPlugin
    from kong.plugins.runtime.problems import Problem

log = logging.getLogger(__name__)


class AtOnceConnection(Protocol):
    """The connection that the event came over. Each of these takes the event from it."""

    def decided_at_once(self, statements: Sequence[bytes]) -> None:
        """Send, and end the event."""

    def run_phase(self, target: Target, known: KnownAnswer | None) -> None:
        """Decide by the whole phase. `known`: what Kong has answered; None where that was over the limit."""

    def refuse(self, problem: Problem) -> None:
        """Answer the client in the plugin's place."""


class AtOnceEvent:
    """Begins where it is made. Implements `deadlines.Expiring`."""

    __slots__ = (
        "_at_once",
        "_connection",
        "_deadlines",
        "_host",
        "_running",
        "_started",
        "_target",
        "expires",
    )

    def __init__(
        self,
        connection: AtOnceConnection,
        host: Host,
        target: Target,
        running: RunningPlugin,
        at_once: AtOnce[Any],
    ) -> None:
        self._connection = connection
        self._host = host
        self._target = target
        self._running = running
        self._at_once = at_once
        self._started = perf_counter_ns()
        self.expires = 0.0
        host.running += 1
        running.users += 1
        self._deadlines = host.deadlines(running.deadline)
        self._deadlines.add(self)
        target.metrics.questions.inc()

    def answered(self, answer: bytes | None) -> None:
        """Kong has answered the question; None is an answer over the limit of a frame."""
        try:
            said = self._at_once.decided(answer) if answer is not None else None
        except Exception:
            log.exception("a phase failed; the client gets 500")
            self.refuse(problems.FAILED, "failed")
            return
        if said is None:
            self._leave()
            known = KnownAnswer(self._at_once.call, answer, self._started) if answer is not None else None
            self._connection.run_phase(self._target, known)
            return
        self._target.metrics.statements.inc(len(said))
        self._close("returned")
        self._connection.decided_at_once(said)

    def refuse(self, problem: Problem, outcome: str) -> None:
        """End the event in the plugin's place."""
        self._close(outcome)
        self._connection.refuse(problem)

    def abandon(self) -> None:
        """Kong is gone."""
        self._close("abandoned")

    def _close(self, outcome: str) -> None:
        self._leave()
        metrics = self._target.metrics
        metrics.outcomes[outcome].inc()
        metrics.seconds.observe(perf_counter_ns() - self._started)

    def _leave(self) -> None:
        self._host.running -= 1
        self._running.users -= 1
        self._deadlines.remove(self)
