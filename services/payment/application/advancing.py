"""Does at the provider what is to be done next, one step after another, until only the shopper or nobody can move the
payment on.

Before each call it is written down under its key, in a statement that checks that it is still wanted. What the
provider says of the payment, in its answer or when it is asked, is believed, and nothing else. A kill anywhere in
between leaves a message in the outbox that starts again from what is known.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.payment.application.observing import charge_seen, observed
from services.payment.application.ports import (
    Payments,
    Provider,
    ProviderUnavailable,
    Refused,
    SeenPayment,
    SeenSession,
    ServerError,
    SessionRequest,
)
from services.payment.application.record import Record
from services.payment.domain.calls import CLOCKS_DIFFER_BY, SETTLES_WITHIN, Call, page_call
from services.payment.domain.payments import Goal, Known, Session, Step
from services.payment.domain.refunds import MOST_VOID_REFUNDS, Cause, Refund, RefundState, void_refunds

MOST_STEPS = 12
LOST_WITHIN = timedelta(days=3)
"""So far back a page is looked for that was lost with this database's latest past; `adopt` finds older ones."""


class Stuck(Exception):  # noqa: N818  # named as the outcome that it is
    """The provider answers, and the payment does not move: a person has to look."""


class AdvancingService:
    """`session_lasts` is how long a shopper has to pay, at least 30 minutes with Stripe."""

    def __init__(
        self,
        payments: Payments,
        provider: Provider,
        now: Callable[[], datetime],
        *,
        session_lasts: timedelta,
        settles_within: timedelta = SETTLES_WITHIN,
    ) -> None:
        self._payments = payments
        self._provider = provider
        self._now = now
        self._session_lasts = session_lasts
        self._settles_within = settles_within

    async def advance(self, order: UUID, *, refresh: bool = False) -> Record | None:
        """The payment as it then is; None where the order has none. Raises ProviderError, Stuck."""
        record = await self._payments.get(order)
        if record is None:
            return None
        if refresh:
            record = await self._look(record)
        for _ in range(MOST_STEPS):
            moved = await self._step(record)
            if moved is None:
                return record
            record = moved
        raise Stuck(f"the payment of order {order} does not move: {record.payment.state.value}")

    async def open(self, record: Record, call: Call) -> Record:
        """Makes the page of a payment that was added with this call. Raises ProviderError."""
        return await self._make(record, call)

    async def _step(self, record: Record) -> Record | None:
        """One step; None where there is none."""
        step = record.payment.step
        asked = next(
            (
                refund
                for refund in record.refunds
                if refund.state is RefundState.PENDING and refund.provider_id is None
            ),
            None,
        )
        if asked is not None and step in {None, Step.REFUND_REST}:
            return await self._refund(record, asked)
        match step:
            case Step.OPEN_SESSION:
                return await self._open(record)
            case Step.CLOSE_SESSION:
                return await self._close(record)
            case Step.CAPTURE:
                return await self._settle(record, "cap", Step.CAPTURE, self._provider.capture)
            case Step.CANCEL:
                return await self._settle(record, "void", Step.CANCEL, self._provider.cancel)
            case Step.REFUND_REST:
                return await self._refund_rest(record)
        return None

    # ----- The page

    async def _open(self, record: Record) -> Record | None:
        begun = await self._begin(record, page_call(record.order, record.attempt), Step.OPEN_SESSION)
        if begun is None:
            return await self._payments.get(record.order)
        record, call = begun
        if record.payment.goal is Goal.CAPTURE:
            # The order knows of promised money, so there was a page: this database may be older than the order's.
            found = await self._provider.find_session(
                record.order, record.attempt, call.begun_at - LOST_WITHIN
            )
            if found is not None:
                return await self._observe(record, found)
        if call.look_first(self._now()):
            found = await self._provider.find_session(
                record.order, record.attempt, call.begun_at - CLOCKS_DIFFER_BY
            )
            if found is not None:
                return await self._observe(record, found)
            call = await self._next_round(call)
        return await self._make(record, call)

    async def _make(self, record: Record, call: Call) -> Record:
        try:
            seen = await self._create(record, call)
        except Refused:
            # After an outage the page's time may be too short by now: what the key has made is looked for, or left.
            found = await self._provider.find_session(
                record.order, record.attempt, call.begun_at - CLOCKS_DIFFER_BY
            )
            seen = found or await self._create(record, await self._payments.next_round(call))
        return await self._observe(record, seen)

    async def _create(self, record: Record, call: Call) -> SeenSession:
        terms = record.terms
        request = SessionRequest(
            order=record.order,
            attempt=record.attempt,
            amount=terms.amount,
            currency=terms.currency,
            reference=terms.reference,
            email=terms.email,
            lang=terms.lang,
            return_url=terms.return_url,
            cancel_url=terms.cancel_url,
            # From the call's own time, since a repeat under one key must say the same.
            expires_at=call.begun_at + self._session_lasts,
        )
        try:
            return await self._provider.create_session(request, call.key)
        except ServerError:
            await self._payments.call_failed(call)
            raise

    async def _close(self, record: Record) -> Record | None:
        if record.session_id is None:
            return await self._close_unknown(record)
        with suppress(Refused):  # it was paid, or its time was over: the look says which
            await self._provider.expire_session(record.session_id)
        return await self._look(record)

    async def _close_unknown(self, record: Record) -> Record | None:
        """A page was asked for and no answer came. Nobody has its address; it is found, or there is none."""
        call = await self._payments.call(page_call(record.order, record.attempt), record.order)
        if call.may_be_under_way(self._now(), self._settles_within):
            raise ProviderUnavailable("a page may still be being made")
        if not call.look_first(self._now()):
            # The key's answer is the page's address; without a page so far there is one now, and it is closed next.
            # Refused: the page's time is too short by now, for a late first call under the key as well.
            with suppress(Refused):
                return await self._observe(record, await self._create(record, call))
        found = await self._provider.find_session(
            record.order, record.attempt, call.begun_at - CLOCKS_DIFFER_BY
        )
        if found is not None:
            return await self._observe(record, found)
        return await self._merge(record.order, Known(session=Session.CLOSED))

    # ----- The money

    async def _settle(
        self, record: Record, verb: str, step: Step, act: Callable[[str, str], Awaitable[SeenPayment]]
    ) -> Record | None:
        begun = await self._begin(record, f"{verb}:{record.order}:{record.attempt}", step)
        if begun is None:
            return await self._payments.get(record.order)
        record, call = begun
        if call.look_first(self._now()):
            looked = await self._look(record)
            if looked.payment.step is not step:
                return looked
            call = await self._next_round(call)
        assert record.intent is not None  # noqa: S101  # money was promised, so its charge is known
        refusal = None
        try:
            answered = await act(record.intent, call.key)
        except ServerError:
            await self._payments.call_failed(call)
            raise
        except Refused as fault:
            refusal = fault
        else:
            # An answer to a change is an observation as well; sums only grow, so that an old one is harmless.
            seen = await self._observe(record, charge_seen(record, answered))
            if seen.payment.step is not step:
                return seen
        looked = await self._look(record)
        if refusal is not None and looked.payment.step is step:
            raise refusal
        return looked

    async def _refund_rest(self, record: Record) -> Record | None:
        """Makes it a refund like any other, under the payment's lock."""
        async with self._payments.transaction():
            present = await self._payments.locked(record.order)
            if present is None or present.payment.step is not Step.REFUND_REST:
                return present
            made = [refund for refund in present.refunds if refund.cause is Cause.VOID]
            failed = sum(refund.state is RefundState.FAILED for refund in made)
            ids = void_refunds(record.order)
            if failed >= MOST_VOID_REFUNDS or len(made) == len(ids):
                raise Stuck(f"{failed} refunds of the order {record.order} have failed")
            refund = Refund(
                id=ids[len(made)],
                amount=present.payment.refundable,
                reason="The order is not to be",
                cause=Cause.VOID,
            )
            admitted = present.with_refund(refund)
            await self._payments.save(admitted, present)
        return admitted

    async def _refund(self, record: Record, refund: Refund) -> Record | None:
        call = await self._payments.call(f"refund:{refund.id}", record.order)
        if call.look_first(self._now()):
            looked = await self._look(record)
            found = looked.refund(refund.id)
            if found is None or found.provider_id is not None or found.state is not RefundState.PENDING:
                return looked
            call = await self._next_round(call)
        assert record.intent is not None  # noqa: S101  # there is captured money
        refused = False
        try:
            await self._provider.refund(
                record.intent, refund.id, refund.amount, record.terms.currency, call.key
            )
        except ServerError:
            await self._payments.call_failed(call)
            raise
        except Refused:
            refused = True
        looked = await self._look(record)
        found = looked.refund(refund.id)
        if refused and found is not None and found.provider_id is None:
            # The provider was asked, will not, and has none of this name: it never was.
            return await self._fail(record.order, refund.id)
        return looked

    async def _fail(self, order: UUID, refund: UUID) -> Record | None:
        async with self._payments.transaction():
            record = await self._payments.locked(order)
            present = record.refund(refund) if record else None
            if record is None or present is None or present.provider_id is not None:
                return record
            failed = record.with_refund(replace(present, state=RefundState.FAILED))
            await self._payments.save(replace(failed, updated_at=self._now()), record)
        return failed

    # ----- What all steps share

    async def _begin(self, record: Record, name: str, step: Step) -> tuple[Record, Call] | None:
        """Writes the call down, if the step is still to be taken."""
        present: Record | None = record
        while present is not None and present.payment.step is step and present.attempt == record.attempt:
            if step is Step.OPEN_SESSION and present.payment.known.session is Session.NONE:
                asked = present.with_known(present.payment.known.merged(Known(session=Session.ASKED)))
                present = await self._payments.replace(asked, present)
            call = await self._payments.begin(name, present) if present is not None else None
            if present is not None and call is not None:
                return present, call
            present = await self._payments.get(record.order)
        return None

    async def _next_round(self, call: Call) -> Call:
        """Raises ProviderUnavailable while what was asked may still be under way."""
        if call.may_be_under_way(self._now(), self._settles_within):
            raise ProviderUnavailable("the call before may still be under way")
        return await self._payments.next_round(call)

    async def _look(self, record: Record) -> Record:
        if record.session_id is None:
            return record
        return await self._observe(record, await self._provider.get_session(record.session_id))

    async def _observe(self, record: Record, seen: SeenSession) -> Record:
        """Merges it; where somebody else was faster, into what they made of it."""
        present = record
        while present.attempt == record.attempt:
            merged, bookings = observed(present, seen)
            saved = await self._payments.replace(replace(merged, updated_at=self._now()), present, bookings)
            if saved is not None:
                return saved
            now = await self._payments.get(record.order)
            assert now is not None  # noqa: S101  # payments are never deleted
            present = now
        return present

    async def _merge(self, order: UUID, known: Known) -> Record:
        async with self._payments.transaction():
            present = await self._payments.locked(order)
            assert present is not None  # noqa: S101  # payments are never deleted
            merged = present.with_known(present.payment.known.merged(known))
            await self._payments.save(replace(merged, updated_at=self._now()), present)
        return merged
