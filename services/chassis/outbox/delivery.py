"""Delivers the messages, beside the service, in every replica; whoever claims a message first delivers it.

Each target has a loop of its own: one that is slow or down holds up no messages to another.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.chassis.errors import Problem
from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import Answer, Fate
from services.chassis.outbox.store import OutboxMessage, OutboxStore
from services.chassis.outbox.targets import Target

_log = logging.getLogger(__name__)

MEASURE_EVERY = 20
ATTEMPT_TIMEOUT_S = 20.0
"""Of any target. A message is claimed by a transaction, which PostgreSQL ends when it idles for longer than 30 s."""


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
        async with self._store.claim(name, target.batch) as messages:
            with self._store.apart():
                answers = await asyncio.gather(*(_attempt(target, message) for message in messages))
            done = []
            for message, (answer, error) in zip(messages, answers, strict=True):
                refused = answer is Answer.REFUSED
                fate = decisions.decide(answer, message.refusals + refused)
                self._attempts.labels(name, fate.value).inc()
                if fate is not Fate.DELIVERED:
                    _log.log(
                        logging.ERROR if fate is Fate.DROP else logging.WARNING,
                        "a message was not delivered",
                        extra={
                            "outbox_message": message.id,
                            "target": name,
                            "fate": fate.value,
                            "cause": error,
                        },
                    )
                if fate in {Fate.DELIVERED, Fate.DROP}:
                    done.append(message.id)
                elif fate is Fate.DEAD_LETTER:
                    await self._store.dead_letter(message.id, error)
                else:
                    after = decisions.delay(message.attempts + 1, self._chance(), target.longest_delay)
                    await self._store.retry_later(message.id, after, error, refused=refused)
            if done:
                await self._store.forget(done)
        return len(messages)

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
