"""Kinds of requests are measured in turns, and one odd round says nothing."""

from collections.abc import Callable
from typing import cast

from bench.gateway_stage import Cost, Stage
from bench.turns import ROUNDS, Requests, in_turns, same


class Gateway:
    """The first round of each kind costs a second, one later round ten times the rest."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str | None]] = []

    async def measure(
        self, requests: int, make: Callable[[int], bytes], plugin: str | None, connections: int
    ) -> Cost:
        assert (requests, connections) == (100, 8)
        self.sent.append((make(7), plugin))
        turn = (len(self.sent) - 1) // 2
        return Cost({0: 1e6, 3: 400.0}.get(turn, 40.0), turn)


async def test_kinds_take_turns_and_the_median_of_all_but_the_first_counts() -> None:
    gateway = Gateway()
    kinds = {
        "plain": same(b"plain"),
        "keyed": Requests(lambda turn, number: b"%d-%d" % (turn, number), "idempotency"),
    }
    costs = await in_turns(cast(Stage, gateway), kinds, 100, 8)
    assert costs == dict.fromkeys(kinds, Cost(40.0, (ROUNDS + 1) / 2))
    assert gateway.sent == [
        sent for turn in range(ROUNDS + 1) for sent in ((b"plain", None), (b"%d-7" % turn, "idempotency"))
    ]
