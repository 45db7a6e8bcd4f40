"""Who is next for one of a few hashing threads, and who gives way when too many wait: fair among networks.

Networks take turns as sources do in RFC 970 (fair queueing): a flood makes its own network wait, and no other for
longer than a hash of each network that waits.
"""

from collections import Counter
from typing import Generic, TypeVar

Caller = TypeVar("Caller")


class FairQueue(Generic[Caller]):
    """`turns`: callers served at once; `waiting`: as many more may wait, be they of one network or of many."""

    def __init__(self, turns: int, waiting: int) -> None:
        self._turns = turns
        self._places = turns + waiting
        self._served: dict[Caller, str] = {}
        # Networks in the order of their turns, each with its callers in the order of their coming.
        self._waiting: dict[str, dict[Caller, None]] = {}
        self._last = ""

    def join(self, caller: Caller, network: str) -> Caller | None:
        """Who is refused in return: nobody, a caller who waited (and has left with this), or `caller` itself.

        Of a full queue, the newest that waits of the network with the most places gives way to a network that has
        fewer even with one more. So whoever has the only place of a network keeps it.
        """
        refused = None
        if len(self) == self._places:
            held = Counter(self._served.values())
            for waiting, callers in self._waiting.items():
                held[waiting] += len(callers)
            most = max(self._waiting, key=held.__getitem__, default=network)
            if held[network] + 1 >= held[most]:
                return caller
            refused = next(reversed(self._waiting[most]))
            self._withdraw(refused, most)
        self._waiting.setdefault(network, {})[caller] = None
        return refused

    def next(self) -> Caller | None:
        """Whose turn it is now, until they leave; None when nobody waits or every turn is taken."""
        if not self._waiting or len(self._served) == self._turns:
            return None
        if self._last in self._waiting:
            # Whoever was served last comes after the networks that joined since, and not before.
            self._waiting[self._last] = self._waiting.pop(self._last)
        network, callers = next(iter(self._waiting.items()))
        caller = next(iter(callers))
        self._withdraw(caller, network)
        self._served[caller], self._last = network, network
        return caller

    def leave(self, caller: Caller, network: str) -> None:
        """Ends the caller's turn, or its waiting; nothing where it was refused."""
        if caller in self._served:
            del self._served[caller]
        elif caller in self._waiting.get(network, ()):
            self._withdraw(caller, network)

    def __len__(self) -> int:
        return len(self._served) + sum(map(len, self._waiting.values()))

    def _withdraw(self, caller: Caller, network: str) -> None:
        del self._waiting[network][caller]
        if not self._waiting[network]:
            del self._waiting[network]
