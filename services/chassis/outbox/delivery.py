"""Delivers the messages, beside the service, in every replica; whoever claims a message first delivers it.

Each target has a loop of its own: one that is slow or down holds up no messages to another.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

from common import request_ids
from common.request_ids import RequestIds
from common.telemetry import tracing
from services.chassis.errors import Problem
from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import Answer, Fate
from services.chassis.outbox.store import Claim, OutboxMessage, OutboxStore
from services.chassis.outbox.targets import StepTarget, Target

_log = logging.getLogger(__name__)

MEASURE_EVERY = 20
ATTEMPT_TIMEOUT_S = 20.0
"""Of any target. A message is claimed by a transaction, which PostgreSQL ends when it idles for longer than 30 s."""
ATTEMPTS_IN_TRACE = 8


class _Attempt(NamedTuple):
    """What came of it, why, and under which names it was tried."""

    answer: Answer
    error: str
    ids: RequestIds | None


class _UndoneError(Exception):
    """A message that was not delivered, after something may have been done in the claim's transaction."""

    def __init__(self, message: OutboxMessage, attempt: _Attempt) -> None:
        super().__init__(message.id)
        self.message = message
        self.attempt = attempt


class Delivery:
    """`targets` has each name to which messages are written."""

    def __init__(
        self,
        store: OutboxStore,
        *,
        targets: Mapping[str, Target],
        registry: CollectorRegistry,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._targets = targets
        self._chance = chance
        self._attempts = Counter(
            "outbox_attempts_total", "Deliveries tried, by fate.", ("target", "fate"), registry=registry
        )

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"outbox_{name}", text, ("target",), registry=registry)

        self._pending = gauge("pending", "Messages that wait for delivery.")
        self._dead_letters = gauge("dead_letters", "Messages that the receiver refuses.")
        self._oldest = gauge("oldest_seconds", "Age of the oldest message that waits.")

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Delivers for as long as the context lasts; a message being delivered at its end is left to be repeated."""
        tasks = [asyncio.create_task(self._run(name), name=f"outbox to {name}") for name in self._targets]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def deliver_due(self, name: str) -> int:
        """One round: claims what is due to the target of this name, tries each once, writes down what came of it.

        Returns how many it tried.
        """
        target = self._targets[name]
        try:
            async with self._store.claim(name, target.batch) as claim:
                await self._deliver(name, target, claim)
        except _UndoneError as undone:
            # The message is there again, as it was. Whoever has claimed it since says later what came of that.
            await self._keep(target, undone.message, undone.attempt)
            return 1
        return len(claim.messages)

    async def _deliver(self, name: str, target: Target, claim: Claim) -> None:
        messages = claim.messages
        # What follows from one answer alone is committed with its message. Of several, each has its own transaction:
        # one that fails undoes no other, and none waits for another's answer.
        joined = isinstance(target, StepTarget) and len(messages) == 1
        with nullcontext() if joined else self._store.apart():
            attempts = await asyncio.gather(*(_traced(name, target, message) for message in messages))
        done = []
        for message, attempt in zip(messages, attempts, strict=True):
            fate = _fate(message, attempt)
            self._attempts.labels(name, fate.value).inc()
            if fate is not Fate.DELIVERED:
                _tell(name, message, attempt, fate)
            if fate in {Fate.DELIVERED, Fate.DROP}:
                done.append(message)
            elif joined:
                raise _UndoneError(message, attempt)
            else:
                await claim.put_back([message])
                await self._keep(target, message, attempt)
        await claim.delivered(done)

    async def _keep(self, target: Target, message: OutboxMessage, attempt: _Attempt) -> None:
        """Writes down why it was not delivered, and when it is tried again, if ever."""
        if _fate(message, attempt) is Fate.DEAD_LETTER:
            await self._store.dead_letter(message.id, attempt.error)
            return
        after = decisions.delay(message.attempts + 1, self._chance(), target.longest_delay)
        refused = attempt.answer is Answer.REFUSED
        await self._store.retry_later(message.id, after, attempt.error, refused=refused)

    async def _run(self, name: str) -> None:
        target, rounds, told = self._targets[name], 0, True
        while True:
            tried = 0
            try:
                if rounds % MEASURE_EVERY == 0:
                    await self._measure(name)
                if told or await self._store.any_due(name):
                    tried = await self.deliver_due(name)
            except Problem as fault:
                _log.warning("the outbox cannot be read", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, deliveries must go on for all the other messages.
                _log.exception("a round of deliveries failed")
            rounds += 1
            told = tried == target.batch or await self._store.news(name, target.look_every)

    async def _measure(self, name: str) -> None:
        backlog = await self._store.backlog(name)
        self._pending.labels(name).set(backlog.pending)
        self._dead_letters.labels(name).set(backlog.dead_letters)
        self._oldest.labels(name).set(backlog.oldest)


def _fate(message: OutboxMessage, attempt: _Attempt) -> Fate:
    return decisions.decide(attempt.answer, message.refusals + (attempt.answer is Answer.REFUSED))


def _tell(name: str, message: OutboxMessage, attempt: _Attempt, fate: Fate) -> None:
    with request_ids.named(attempt.ids):
        _log.log(
            logging.ERROR if fate is Fate.DROP else logging.WARNING,
            "a message was not delivered",
            extra={
                "outbox_message": message.id,
                "target": name,
                "fate": fate.value,
                "cause": attempt.error,
            },
        )


async def _traced(name: str, target: Target, message: OutboxMessage) -> _Attempt:
    """One attempt, in the trace of the change that the message tells of.

    After a few it is in a trace of its own, linked to that one: an outage of a day must not make one trace of a
    thousand deliveries.
    """
    with tracing.continued(
        message.traceparent,
        message.request_id,
        f"deliver {name}",
        {
            "messaging.system": "outbox",
            "messaging.operation.name": "deliver",
            "messaging.destination.name": name,
            "messaging.message.id": str(message.id),
            "gatehouse.outbox.attempt": message.attempts + 1,
        },
        apart=message.attempts >= ATTEMPTS_IN_TRACE,
    ) as span:
        answer, error = await _attempt(target, message)
        if span is not None and answer is not Answer.TAKEN:
            span.end(0, answer.name.lower())
        return _Attempt(answer, error, request_ids.current.get())


async def _attempt(target: Target, message: OutboxMessage) -> tuple[Answer, str]:
    try:
        async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
            return await target(message)
    except TimeoutError:
        return Answer.NOT_NOW, "no answer in time"
    except Exception as fault:
        # It must not undo what became of the others that were claimed with it.
        _log.exception("a delivery failed")
        return Answer.NOT_NOW, type(fault).__name__
