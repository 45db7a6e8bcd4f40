"""How far an order is, as a shopper cares to know it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

STEPS = ("placed", "paid", "shipped", "delivered")
"""Of an order that goes well."""

_REACHED = {
    "placed": 0,
    "held": 0,
    "paying": 0,
    "authorised": 0,
    "committed": 0,
    "paid": 1,
    "shipped": 2,
    "delivered": 3,
}
_TOLD = frozenset(
    (*STEPS, "closing", "refunding", "expired", "cancelled", "declined", "sold_out", "refunded")
)
"""States whose beginning is worth a line; the others are steps inside the house."""
_RESTS = frozenset(
    ("paid", "shipped", "delivered", "expired", "cancelled", "declined", "sold_out", "refunded")
)


def milestones(state: str) -> list[tuple[str, bool]]:
    """Each step and whether it is reached; none for an order that will not be."""
    reached = _REACHED.get(state)
    if reached is None:
        return []
    return [(step, number <= reached) for number, step in enumerate(STEPS)]


def story(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events that began a state worth telling, in their order, each state once."""
    told: list[Mapping[str, Any]] = []
    before = ""
    for event in events:
        if event["state"] != before and event["state"] in _TOLD:
            told.append(event)
        before = event["state"]
    return told


def moving(order: Mapping[str, Any]) -> bool:
    """Whether something is about to happen by itself, so that the page looks again."""
    payment = order["payment"]
    return order["state"] not in _RESTS or payment["refund_pending"] > 0
