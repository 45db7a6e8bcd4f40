"""The rules that keep money and stock, each of them broken: the simulations have to see every one.

docs/money.md lists them with the tests that fall.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.catalog.domain import reservations
from services.order.application import requests
from services.order.application.ports import Standing
from services.order.domain import transitions
from services.order.domain.states import Command, Event, Reason, State
from services.order.domain.transitions import Transition
from services.payment.application.events import Event as ProviderEvent
from services.payment.application.events import EventService
from services.payment.application.record import Record
from services.payment.domain import payments
from services.payment.domain.calls import Call
from services.payment.domain.payments import Known, Session
from tests.unit.order.checkout_stores import MemoryOrders
from tests.unit.payment.simulated import MemoryPayments, Pause

Breaks = Callable[[pytest.MonkeyPatch], None]


def _order(monkeypatch: pytest.MonkeyPatch, state: State, changes: Mapping[Event, Transition | None]) -> None:
    table: dict[State, dict[Event, Transition]] = {
        each: dict(row) for each, row in transitions._TABLE.items()
    }
    for event, transition in changes.items():
        if transition is None:
            table[state].pop(event)
        else:
            table[state][event] = transition
    monkeypatch.setattr(transitions, "_TABLE", table)


def no_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog takes a late "held" for a new order's although the order has given its stock back."""
    table: dict[Any, Any] = {present: dict(row) for present, row in reservations._EFFECTS.items()}
    table[reservations.State.RELEASED] = table[None]
    monkeypatch.setattr(reservations, "_EFFECTS", table)


def capture_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Transition(State.AUTHORISED, (Command.COMMIT_STOCK, Command.CAPTURE_PAYMENT))
    _order(monkeypatch, State.PAYING, {Event.PAYMENT_AUTHORISED: both})


def expiry_frees_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    freed = Transition(State.RELEASING, (Command.RELEASE_STOCK,), Reason.EXPIRED)
    _order(monkeypatch, State.PAYING, {Event.HOLD_EXPIRED: freed})


def pays_before_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    paying = Transition(State.PAYING)
    _order(monkeypatch, State.PLACED, {Event.PAY_REQUESTED: paying})


def closing_frees_on_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old attempt's failure is taken for the answer to the void."""
    freed = Transition(State.RELEASING, (Command.RELEASE_STOCK,))
    _order(
        monkeypatch,
        State.CLOSING,
        {Event.PAYMENT_AUTHORISED: freed},
    )


def money_after_cancel_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A void of what was collected already does nothing."""
    monkeypatch.setattr(
        payments.Payment,
        "step",
        property(lambda self: None if self.state is payments.State.REFUNDING else _STEP(self)),
    )


def late_goals_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payment does what it was asked last, also where that was asked before."""
    monkeypatch.setattr(payments.Payment, "wanted", _with_goal)


def _with_goal(payment: payments.Payment, goal: payments.Goal) -> payments.Payment:
    return payments.Payment(amount=payment.amount, goal=goal, known=payment.known, pending=payment.pending)


_STEP: Any = payments.Payment.__dict__["step"].fget


def webhook_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an event says is taken for true, and the provider is not asked."""

    async def hear(self: Any, provider: str, event: ProviderEvent) -> bool:
        payments = self._events.payments
        async with payments.transaction():
            new: bool = await self._events.add(provider, event, self._now(), ask=False)
            record = await payments.locked(event.order) if event.order else None
            if new and record is not None:
                amount = record.terms.amount
                said = {
                    "checkout.session.expired": Known(session=Session.CLOSED),
                    "checkout.session.completed": Known(session=Session.COMPLETE, authorised=amount),
                    "payment_intent.canceled": Known(cancelled=True),
                    "payment_intent.succeeded": Known(captured=amount),
                }.get(event.type, Known())
                await payments.save(record.with_known(record.payment.known.merged(said)), record)
        return new

    monkeypatch.setattr(EventService, "hear", hear)


def refund_without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payment reads, decides and writes, and nobody waits for anybody."""

    async def locked(self: Any, order: UUID) -> Record | None:
        await Pause()
        work = self._work()
        work.locked.add(order)
        found: Record | None = work.records.get(order) or self.kept.records.get(order)
        return found

    monkeypatch.setattr(MemoryPayments, "locked", locked)


def order_without_compare_and_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two events at once both are written, each decided on what was before."""

    async def set_(self: Any, id_: UUID, version: int, change: Callable[[Any], Any]) -> bool:
        async with self._work() as work:
            await Pause()
            work.orders[id_] = change(self._seen(work, id_))
            return True

    monkeypatch.setattr(MemoryOrders, "_set", set_)


def another_key_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "key", property(lambda self: str(uuid4())))


def old_reports_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order keeps whichever report of its payment comes last."""
    remember = MemoryOrders.remember_payment

    async def always(self: Any, id_: UUID, payment: Any, sequence: int) -> Standing | None:
        self.kept.sequences[id_] = 0
        return await remember(self, id_, payment, sequence)

    monkeypatch.setattr(MemoryOrders, "remember_payment", always)


def what_was_given_back_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "all_given_back", lambda *_: False)


OF_MESSAGES: tuple[Breaks, ...] = (
    no_tombstone,
    capture_before_commit,
    expiry_frees_without_asking,
    pays_before_hold,
    closing_frees_on_failure,
    money_after_cancel_is_kept,
    late_goals_count,
)
OF_CHECKOUTS: tuple[Breaks, ...] = (
    *OF_MESSAGES,
    webhook_is_trusted,
    refund_without_lock,
    order_without_compare_and_set,
    another_key_each_time,
    old_reports_count,
    what_was_given_back_is_sent,
)
