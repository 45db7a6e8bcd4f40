"""What kinds of requests cost, measured in turns in one run.

A single measurement misleads: in some tenths of a second LuaJIT compiles anew, and a request costs Kong 30 to 100 µs
more, whichever plugin it has. So each kind has many short rounds, one after the other, and its median counts.
"""

from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple

from bench.gateway_stage import CONNECTIONS, Cost, Stage

ROUNDS = 15


class Requests(NamedTuple):
    """`make(turn, number)` gives each request; `plugin` names the server whose CPU counts beside Kong's."""

    make: Callable[[int, int], bytes]
    plugin: str | None = None


def same(request: bytes, plugin: str | None = None) -> Requests:
    """One request, again and again."""
    return Requests(lambda _turn, _number: request, plugin)


async def in_turns(
    gateway: Stage, kinds: Mapping[str, Requests], requests: int, connections: int = CONNECTIONS
) -> dict[str, Cost]:
    """The median cost of each kind, of so many requests a round. Within a turn the kinds keep their order."""
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for turn in range(ROUNDS + 1):
        for kind, (make, plugin) in kinds.items():
            cost = await gateway.measure(requests, _of(make, turn), plugin, connections)
            if turn:  # in the first, LuaJIT compiles
                costs[kind].append(cost)
    return {kind: _median(each) for kind, each in costs.items()}


def _of(make: Callable[[int, int], bytes], turn: int) -> Callable[[int], bytes]:
    return lambda number: make(turn, number)


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(cost.gateway for cost in costs), median(cost.plugin for cost in costs))
