"""What a refund of lines or of an amount comes to. Pure.

Units were given their amounts when the order was placed; they are taken in their order. The refund that returns the
last unit and the shipping takes whatever is left, so that refunds never add up to another sum than the total, also
where amounts were given back freely before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.field_codes import InvalidValue
from services.order.domain.errors import InvalidOrder, InvalidRefund
from services.order.domain.orders import Line, Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What was refunded, or is being: the sum, the units of each line by its position, and whether the shipping was."""

    amount: int = 0
    units: Mapping[int, int] = field(default_factory=dict)
    shipping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`quantity` units of a line, and what they come to before the sum is capped at what is left."""

    position: int
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`takes_rest`: nothing of the order is left after it."""

    amount: int
    parts: tuple[Part, ...] = ()
    shipping: bool = False
    takes_rest: bool = False


def with_providers(before: Refunded, total: int, payment: Payment) -> Refunded:
    """Adds what a person gave back on the provider's own pages, and what was never collected. Payment's report may be a
    moment old; payment itself decides."""
    if not payment.captured:
        return before
    gone = total - payment.captured + payment.refunded + payment.refund_pending
    return replace(before, amount=max(before.amount, gone))


def all_given_back(lines: Sequence[Line], total: int, before: Refunded) -> bool:
    """Whether all goods went back, or all money: nothing that was paid is left to be sent."""
    goods = all(before.units.get(line.position, 0) >= line.quantity for line in lines)
    return goods or before.amount >= total


def by_amount(amount: int, total: int, before: Refunded, step: int = 1) -> Plan:
    """`step`: cards are charged in multiples of it. Raises InvalidOrder for what is none, InvalidRefund where less is
    left."""
    left = total - before.amount
    if amount % step:
        raise InvalidOrder({"amount": InvalidValue("not_chargeable", step=step)})
    if not 1 <= amount <= left:
        raise InvalidRefund(f"Between 1 and {left} can be given back.", left)
    return Plan(amount=amount, takes_rest=amount == left)


def by_lines(
    wanted: Mapping[int, int],
    *,
    with_shipping: bool,
    lines: Sequence[Line],
    shipping: int,
    total: int,
    before: Refunded,
) -> Plan:
    """`wanted`: units by the position of their line. Raises InvalidRefund for lines or units that are not there (any
    more), and where nothing is left to give."""
    left = total - before.amount
    known = {line.position: line for line in lines}
    if with_shipping and before.shipping:
        raise InvalidRefund("The shipping was given back already.", left)
    parts = []
    for position, quantity in sorted(wanted.items()):
        line = known.get(position)
        if line is None:
            raise InvalidRefund(f"The order has no line {position}.", left)
        first = before.units.get(position, 0)
        if not 1 <= quantity <= line.quantity - first:
            raise InvalidRefund(f"Of line {position} {line.quantity - first} units can be given back.", left)
        parts.append(
            Part(position=position, quantity=quantity, amount=sum(line.units[first : first + quantity]))
        )
    if not parts and not with_shipping:
        raise InvalidRefund("Nothing was named to give back.", left)
    counts = {part.position: part.quantity for part in parts}
    last = all(
        before.units.get(line.position, 0) + counts.get(line.position, 0) == line.quantity for line in lines
    ) and (with_shipping or before.shipping or shipping == 0)
    asked = sum(part.amount for part in parts) + (shipping if with_shipping else 0)
    amount = left if last else min(asked, left)
    if amount <= 0:
        raise InvalidRefund("Nothing is left to give back.", max(left, 0))
    return Plan(amount=amount, parts=tuple(parts), shipping=with_shipping, takes_rest=amount == left)
