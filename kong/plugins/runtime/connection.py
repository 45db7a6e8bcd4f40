"""One connection from Kong: commands in, answers out, one at a time.

Kong sends a command and, for an event, then answers each call in order until the event is over. So what arrives is,
in this order: answers nobody waits for (of statements, and of questions given up), answers that the phase waits for,
the next command.

Outside of an event the answer to anything wrong is to close: Kong starts the instance again and repeats its request.
Inside an event it is an exit, never a close (`event.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, cast

from kong.plugins.runtime import messages, pdk, problems, rpc, runtime_metrics
from kong.plugins.runtime.at_once_event import AtOnceEvent
from kong.plugins.runtime.errors import ConfigError, MalformedMessageError
from kong.plugins.runtime.event import Event, KnownAnswer
from kong.plugins.runtime.frames import Frames
from kong.plugins.runtime.instances import Instance, RunningPlugin
from kong.plugins.runtime.phase_driver import PhaseDriver
from kong.plugins.runtime.problems import Problem

if TYPE_CHECKING:
    from kong.plugins.runtime.deadlines import Deadlines
    from kong.plugins.runtime.host import Host, Target

log = logging.getLogger(__name__)

IDENTIFY_TIMEOUT = 0.25
"""Seconds that a problem waits to learn the request's path and id; Kong takes microseconds."""
CLOSE_GRACE = 1.0
"""Seconds that the other side has to notice that a connection is retired."""


class Connection(asyncio.Protocol):
    """Implements `event.EventConnection`, `at_once_event.AtOnceConnection` and `connections.ManagedConnection`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._connections = host.connections
        self._transport: asyncio.Transport
        self._driver: PhaseDriver | None = None
        self._frames = Frames(host.limits.frame)
        self._event: Event | None = None
        self._at_once: AtOnceEvent | None = None
        self._sequence = b""
        self._ignored_answers = 0
        self._awaited_answers = 0
        self._answers: list[bytes | None] = []
        self._problem: Problem | None = None
        self._identifying: asyncio.TimerHandle | None = None
        self._starting = False
        self._ended = False
        self._said: Sequence[bytes] = ()
        self._deadlines: Deadlines | None = None
        self._running: RunningPlugin | None = None
        self.last_received = host.connections.now

    # What `Connections` asks of each connection; the contract is `connections.ManagedConnection`.

    @property
    def idle(self) -> bool:
        """Whether closing now takes nothing from Kong that it could not repeat.

        Where Kong still has to confirm the last statements of an event, a closed connection fails the request.
        """
        return (
            self._event is None
            and self._at_once is None
            and self._problem is None
            and not self._starting
            and not self._ignored_answers
        )

    @property
    def evictable(self) -> bool:
        return self.idle or self._ended

    @property
    def stalled(self) -> bool:
        return self.idle and self._frames.incomplete

    @property
    def leaving(self) -> bool:
        return self._ended

    def retire(self) -> None:
        if self._ended:
            self._transport.close()
        elif self.idle and self._connections.lets_go():
            self._ended = True
            # Only the sending side is shut: a command that Kong sends before it notices finds the end of the stream,
            # and not a broken pipe, which Kong would not repeat.
            self._transport.write_eof()
            self.host.loop.call_later(CLOSE_GRACE, self._transport.close)

    def refuse_now(self, problem: Problem) -> None:
        if self._event is not None:
            self._event.refuse(problem, "stopped")
        elif self._at_once is not None:
            self._at_once.refuse(problem, "stopped")
        else:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def drop(self, reason: str) -> None:
        runtime_metrics.CONNECTIONS_ENDED.labels(reason=reason).inc()
        self._ended = True
        self._transport.close()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connections.opened(self)

    def data_received(self, data: bytes) -> None:
        self.last_received = self._connections.now
        payload = self._frames.whole(data)
        if payload is not None:
            self._take(payload)
        else:
            for each in self._frames.feed(data):
                self._take(each)

    def _take(self, payload: bytes | None) -> None:
        """One frame; None is one over the limit."""
        if self._ended:
            return
        try:
            self._received(payload)
        except MalformedMessageError as error:
            self._wrong("malformed", str(error))
        except Exception:
            # A fault of the runtime's own. Left to the event loop, it would close the connection.
            log.exception("the runtime failed")
            self._wrong("failed", "see above")

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.closed(self)
        if self._identifying is not None:
            self._identifying.cancel()
        if not self._ended:
            self._report_unconfirmed()
        self._ended = True
        if self._at_once is not None:
            self._at_once.abandon()
            self._at_once = None
        if self._event is not None:
            self._event.abandon()
        elif self._driver is not None:
            self._driver.cancel()

    # What arrives.

    def _received(self, payload: bytes | None) -> None:
        if self._ignored_answers:
            self._ignored_answers -= 1
            if not self._ignored_answers and self._event is None:
                self._rest()
        elif self._awaited_answers:
            self._answers.append(payload)
            if len(self._answers) == self._awaited_answers:
                self._answered()
        elif payload is None:
            self._wrong("oversized", "a command over the limit of a frame")
        elif self.idle:
            self._command(payload)
        else:
            raise MalformedMessageError("a frame that nothing asked for")

    def _answered(self) -> None:
        answers, self._answers = self._answers, []
        self._awaited_answers = 0
        if self._problem is not None:
            self._identified(answers)
        elif self._at_once is not None:
            self._at_once.answered(answers[0])
        elif self._driver is not None:
            self._driver.resume(answers)

    def _wrong(self, reason: str, detail: str) -> None:
        log.warning("wrong input from a connection: %s", detail, extra={"reason": reason})
        if self._problem is not None:
            self._identified(())
        elif self._event is not None:
            self._event.refuse(problems.FAILED, "failed")
        elif self._at_once is not None:
            self._at_once.refuse(problems.FAILED, "failed")
        else:
            self.drop(reason)

    def _report_unconfirmed(self) -> None:
        """Kong answers everything but what it refuses: then it fails the request and drops the connection."""
        if self._ignored_answers:
            runtime_metrics.REFUSED_BY_KONG.inc()
            refused = (
                _method(self._said[-self._ignored_answers])
                if self._ignored_answers <= len(self._said)
                else "?"
            )
            log.error(
                "Kong did not confirm a statement: not allowed in this phase?", extra={"method": refused}
            )
        elif self._event is not None or self._at_once is not None:
            log.warning(
                "Kong dropped the connection inside an event", extra={"unanswered": self._awaited_answers}
            )

    # Commands.

    def _command(self, payload: bytes) -> None:
        apart = rpc.sequence_and_rest(payload)
        if apart is not None:
            self._sequence, rest = apart
            target = self.host.target(rest)
            if target is not None:
                self._begin(target)
                return
        number, command = rpc.decode(payload)
        self._sequence = rpc.encode_sequence(number)
        plugin = self.host.plugin
        match command:
            case rpc.HandleEvent(instance, phase):
                self._first_event(apart and apart[1], instance, phase)
            case rpc.StartInstance(name, config):
                self._starting = True
                self.host.spawn(self._start(number, name, config))
            case rpc.CloseInstance(instance):
                self.host.instances.close(instance)
                self._status(number, instance)
            case rpc.GetInstanceStatus(instance):
                if self.host.instances.find(instance) is None:
                    self.drop("unknown_instance")
                else:
                    self._status(number, instance)
            case rpc.GetPluginNames():
                self._transport.write(rpc.plugin_names(number, [plugin.name]))
            case rpc.GetPluginInfo():
                schema = json.dumps(plugin.kong_schema())
                info = rpc.plugin_info(
                    number,
                    name=plugin.name,
                    phases=plugin.phases,
                    version=plugin.version,
                    priority=plugin.priority,
                    schema=schema,
                )
                self._transport.write(info)

    def _status(self, number: int, instance: int) -> None:
        self._transport.write(rpc.instance_status(number, self.host.plugin.name, instance, int(time.time())))

    async def _start(self, number: int, name: str, config: bytes) -> None:
        try:
            instance = await self.host.instances.start(name, config)
        except ConfigError as error:
            # Kong has no word for a refused instance: a closed connection fails the request with 500.
            log.error("plugin configuration refused: %s", error, extra={"field": error.field})  # noqa: TRY400
            self.drop("start_refused")
            return
        except Exception:
            log.exception("plugin instance refused", extra={"configuration_of": name})
            self.drop("start_refused")
            return
        finally:
            self._starting = False
        if not self._ended:
            self._status(number, instance)
            self._rest()

    def _first_event(self, command: bytes | None, instance_id: int, phase: str) -> None:
        """An event whose command was not met before; None where it cannot be recognised when it comes again."""
        instance = self.host.instances.find(instance_id)
        if instance is None:
            self.drop("unknown_instance")
            return
        if phase not in self.host.plugin.phases:
            log.error("Kong asked for a phase that the plugin does not have", extra={"phase": phase})
            self.refuse(problems.FAILED)
            return
        self._begin(self.host.remember(command, instance, phase))

    def _begin(self, target: Target) -> None:
        host = self.host
        if not host.has_room():
            target.metrics.outcomes["shed"].inc()
            self.refuse(problems.TOO_MANY)
            return
        running = target.instance.running
        at_once = running.at_once.get(target.phase) if running is not None and running.usable else None
        if running is None or at_once is None:
            self.run_phase(target)
            return
        self._at_once = AtOnceEvent(self, host, target, running, at_once)
        self.ask((), (at_once.call,))

    def run_phase(self, target: Target, known: KnownAnswer | None = None) -> None:
        self._at_once = None
        host = self.host
        driver = self._driver
        if driver is None or not driver.usable:
            driver = self._driver = PhaseDriver(host.loop)
        event = self._event = Event(self, driver, target.metrics, self._event_ended, known)
        kong = pdk.Kong(event)
        running = self._running = target.instance.running
        if running is not None and running.usable:
            phase = running.phases[target.phase](kong)
            running.users += 1
        else:
            self._running = None
            phase = self._when_ready(target.instance, target.phase, kong)
        host.running += 1
        event.start(cast("Coroutine[Any, Any, None]", phase))
        if self._event is event:
            self._deadlines = host.deadlines(running.deadline if running else host.limits.deadline)
            self._deadlines.add(event)

    async def _when_ready(self, instance: Instance, phase: str, kong: pdk.Kong) -> None:
        """An event for an instance that this worker has not started yet, or has to start again."""
        running = await self.host.instances.running(instance)
        running.users += 1
        try:
            await running.phases[phase](kong)
        finally:
            running.users -= 1

    def _event_ended(self, event: Event) -> None:
        """The phase's coroutine has ended, in whichever way."""
        self._event = None
        self.host.running -= 1
        if self._deadlines is not None:
            self._deadlines.remove(event)
            self._deadlines = None
        if self._running is not None:
            self._running.users -= 1
            self._running = None
        self._rest()

    def _rest(self) -> None:
        if self._transport.is_closing():
            if self._driver is not None:
                self.host.loop.call_soon(self._driver.cancel)
        elif self.host.draining:
            self.host.loop.call_soon(self.retire)  # after the next command, if that came in the same bytes

    # What an event says (`event.EventConnection`, `at_once_event.AtOnceConnection`).

    def ask(self, statements: Sequence[bytes], questions: Sequence[bytes]) -> None:
        self._ignored_answers += len(statements)
        self._awaited_answers = len(questions)
        self._said = statements
        self._transport.write(b"".join([*statements, *questions]))

    def unask(self) -> None:
        if self._problem is None:
            self._ignored_answers += self._awaited_answers - len(self._answers)
            self._awaited_answers = 0
            self._answers = []

    def finish(self, statements: Sequence[bytes]) -> None:
        self._ignored_answers += len(statements)
        self._said = statements
        self._transport.write(b"".join([*statements, rpc.event_over(self._sequence)]))

    def decided_at_once(self, statements: Sequence[bytes]) -> None:
        self._at_once = None
        self.finish(statements)
        self._rest()

    def exit(self, statements: Sequence[bytes], exit_call: bytes) -> None:
        # Kong answers nothing after an exit, and drops the connection when the request is over.
        self._ended = True
        self._transport.write(b"".join([*statements, exit_call]))

    def refuse(self, problem: Problem) -> None:
        self._at_once = None
        self.unask()
        self._problem = problem
        self._awaited_answers = len(problems.IDENTIFYING)
        self._identifying = self.host.loop.call_later(IDENTIFY_TIMEOUT, self._identified, ())
        self._transport.write(b"".join(problems.IDENTIFYING))

    def _identified(self, answers: Sequence[bytes | None]) -> None:
        """Refuse, with the request's path and id if Kong told them in time."""
        if self._identifying is not None:
            self._identifying.cancel()
        if self._ended or self._problem is None:
            return
        try:
            path, correlation, own = (messages.text(answer or b"") for answer in answers or (b"", b"", b""))
        except MalformedMessageError:
            path = correlation = own = ""
        self.exit((), self._problem.exit_call(path, correlation or own))


def _method(call: bytes) -> str:
    """The method's name, from the two frames of a call."""
    return call[4 : 4 + int.from_bytes(call[:4], "little")].decode()
