"""Who did what to an order, and when. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

MOST_NAMES = 8
"""So many people are asked for by name; an order is rarely in more hands."""


class Deed(NamedTuple):
    """`by`: house (a fact, or a clock), shopper, person (`name` is theirs), or unknown (`name` is an id)."""

    at: str
    event: str
    state: str
    by: str
    name: str
    note: str
    money: tuple[int, str] | None = None
    """What `note` says, where it is an amount in minor units and its currency."""


def people(order: Mapping[str, Any], timeline: Mapping[str, Any]) -> list[str]:
    """The ids of those whose names are wanted: whoever did something and is not the shopper."""
    actors: Iterable[str] = (
        each["actor"] for each in (*timeline["events"], *timeline["refunds"]) if each["actor"]
    )
    return list(dict.fromkeys(actor for actor in actors if actor != order["owner"]))[:MOST_NAMES]


def deeds(order: Mapping[str, Any], timeline: Mapping[str, Any], names: Mapping[str, str]) -> Sequence[Deed]:
    """The timeline, the latest first."""
    return [
        # The service notes no actor for what only a shopper does.
        Deed(
            each["at"],
            each["event"],
            each["state"],
            *(("shopper", "") if each["event"] == "placed" else by(order, each["actor"], names)),
            each["note"],
            _money(each["note"]) if each["event"] == "refund_requested" else None,
        )
        for each in reversed(timeline["events"])
    ]


def _money(note: str) -> tuple[int, str] | None:
    found = re.fullmatch(r"([0-9]{1,15}) ([A-Z]{3})", note, re.ASCII)
    return (int(found[1]), found[2]) if found else None


def by(order: Mapping[str, Any], actor: str, names: Mapping[str, str]) -> tuple[str, str]:
    """Which kind of actor that is, and their name."""
    if not actor:
        return "house", ""
    if actor == order["owner"]:
        return "shopper", ""
    return ("person", names[actor]) if actor in names else ("unknown", actor[:8])
