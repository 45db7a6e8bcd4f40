"""One event: a phase of a plugin, run for one request, to one of the ends that it can have.

| how a phase ends | what Kong is told |
| --- | --- |
| it returns | its statements, then the end of the event |
| `kong.response.exit` | its statements, then the exit |
| `kong.response.hand_over` | its statements, the answer among them, then the end of the event |
| any exception | exit 500 |
| its deadline passes | exit 503; the phase is cancelled |
| the worker stops and cannot wait longer | exit 503; the phase is cancelled |
| Kong or the client is gone | nothing; the phase is cancelled |

No end closes the connection: Kong would repeat the event, again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from time import perf_counter_ns
from typing import Any, NamedTuple, NoReturn, Protocol

from kong.plugins.runtime import problems
from kong.plugins.runtime.errors import AnswerTooLargeError, EventOverError, PluginRuntimeError
from kong.plugins.runtime.pdk import Question
from kong.plugins.runtime.phase_driver import ENDED, KONG, PhaseDriver
from kong.plugins.runtime.problems import Problem
from kong.plugins.runtime.runtime_metrics import PhaseMetrics

log = logging.getLogger(__name__)


class PhaseExit(BaseException):
    """`kong.response.exit` was called, or `hand_over`."""


class KnownAnswer(NamedTuple):
    """What Kong has answered before the phase began. `asked`: when, in nanoseconds of `perf_counter_ns`."""

    call: bytes
    answer: bytes
    asked: int


class EventConnection(Protocol):
    """The connection that an event came over."""

    def ask(self, statements: Sequence[bytes], questions: Sequence[bytes]) -> None:
        """Send; the answers to the questions come back through the driver."""

    def unask(self) -> None:
        """The answers that are still to come are not waited for any more."""

    def finish(self, statements: Sequence[bytes]) -> None:
        """Send, and end the event."""

    def exit(self, statements: Sequence[bytes], exit_call: bytes) -> None:
        """Send, and expect nothing more of this connection."""

    def refuse(self, problem: Problem) -> None:
        """Answer the client in the plugin's place."""


class Event:
    """A running phase: `pdk.Event` to the phase, `phase_driver.DrivenPhase` to its driver."""

    __slots__ = (
        "_connection",
        "_coroutine",
        "_driver",
        "_exit_call",
        "_known",
        "_metrics",
        "_on_end",
        "_started",
        "_statements",
        "expires",
        "over",
    )

    def __init__(
        self,
        connection: EventConnection,
        driver: PhaseDriver,
        metrics: PhaseMetrics,
        on_end: Callable[[Event], None],
        known: KnownAnswer | None = None,
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._metrics = metrics
        self._on_end = on_end
        self._known = known
        self._started = known.asked if known else perf_counter_ns()
        self._statements: list[bytes] = []
        self._exit_call: bytes | None = None
        self._coroutine: Coroutine[Any, Any, None]
        self.expires = 0.0
        self.over = False
        """Whether Kong has been told the end, or is gone. The coroutine may still be unwinding."""

    def start(self, phase: Coroutine[Any, Any, None]) -> None:
        self._coroutine = phase
        self._driver.start(self)

    # What the phase does, through the facade.

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        self._require_open()
        driver = self._driver
        if asyncio.current_task(driver.loop) is not driver.task:
            raise PluginRuntimeError(
                "PDK calls belong to the phase's own task; kong.gather sends several at once"
            )
        known, self._known = self._known, None
        if known is not None and len(questions) == 1 and questions[0].call == known.call:
            return (questions[0].decode(known.answer),)
        statements, self._statements = self._statements, []
        self._metrics.questions.inc(len(questions))
        self._connection.ask(statements, [question.call for question in questions])
        try:
            answers = yield KONG
        except BaseException:
            self._connection.unask()
            raise
        if None in answers:
            raise AnswerTooLargeError("an answer of Kong is over the limit of a frame")
        if len(questions) == 1:
            return (questions[0].decode(answers[0]),)
        return tuple([question.decode(answer) for question, answer in zip(questions, answers, strict=True)])

    def tell(self, call: bytes) -> None:
        self._require_open()
        self._metrics.statements.inc()
        self._statements.append(call)

    def exit(self, call: bytes) -> NoReturn:
        self._require_open()
        self._exit_call = call
        raise PhaseExit

    def hand_over(self, call: bytes) -> NoReturn:
        """`call` is a statement."""
        self.tell(call)
        raise PhaseExit

    # What the driver does.

    def send(self, value: Any) -> object:
        return self._step(self._coroutine.send, value)

    def throw(self, error: BaseException) -> object:
        return self._step(self._coroutine.throw, error)

    def _step(self, step: Callable[[Any], object], value: Any) -> object:
        try:
            waits_for = step(value)
        except (StopIteration, PhaseExit):
            self._decided()
        except BaseException as error:
            self._failed(error)
        else:
            if self._exit_call is not None or waits_for is not KONG:
                self._flush()
            return waits_for
        self._on_end(self)
        return ENDED

    # What the connection and the worker do.

    def refuse(self, problem: Problem, outcome: str) -> None:
        """End the event in the phase's place, and cancel the phase."""
        if not self.over:
            self._close(outcome)
            self._connection.refuse(problem)
        self._driver.cancel()

    def abandon(self) -> None:
        """Kong is gone; cancel the phase."""
        if not self.over:
            self._close("abandoned")
        self._driver.cancel()

    def _decided(self) -> None:
        if self.over:
            return
        if self._exit_call is not None:
            self._close("exited")
            self._connection.exit(self._statements, self._exit_call)
        else:
            self._close("returned")
            self._connection.finish(self._statements)

    def _failed(self, error: BaseException) -> None:
        if self.over:
            if not isinstance(error, asyncio.CancelledError):
                log.error("a phase that was over failed while it unwound", exc_info=error)
            return
        if self._exit_call is not None:
            # It had decided; what broke is its clearing up.
            log.error("a phase failed after kong.response.exit", exc_info=error)
            self._decided()
            return
        log.error("a phase failed; the client gets 500", exc_info=error)
        self._close("failed")
        self._connection.refuse(problems.FAILED)

    def _flush(self) -> None:
        """The phase waits for something else than Kong: let Kong get on with what was said so far."""
        if self.over:
            return
        if self._exit_call is not None:
            self._decided()
        elif self._statements:
            statements, self._statements = self._statements, []
            self._connection.ask(statements, ())

    def _close(self, outcome: str) -> None:
        self.over = True
        self._metrics.outcomes[outcome].inc()
        self._metrics.seconds.observe(perf_counter_ns() - self._started)

    def _require_open(self) -> None:
        if self.over or self._exit_call is not None:
            raise EventOverError("the event is over")
