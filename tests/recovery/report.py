"""What a drill found, held against its budgets. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.e2e.money.audit import Figure
from tests.recovery.members import Acknowledged

RTO_MS = 10_000
"""From the kill to the first acknowledged write."""
RPO_ROWS = 0
"""With the synchronous option: acknowledged rows that are gone."""
RPO_MS = 1_000
"""Without: how long before the kill a lost row may have been acknowledged."""


@dataclass
class Report:
    """Times in milliseconds. `wrong` is whatever else is not as it must be, a sentence each."""

    synchronous: bool
    rto_ms: float = 0.0
    promotion_ms: float = 0.0
    acknowledged: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    lost_ms: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def rpo_rows(self) -> int:
        return sum(map(len, self.lost.values()))

    @property
    def over_budget(self) -> list[str]:
        found = [*self.wrong]
        if self.rto_ms > RTO_MS:
            found.append(f"RTO is {self.rto_ms:.0f} ms, at most {RTO_MS}")
        if self.synchronous and self.rpo_rows > RPO_ROWS:
            found.append(f"RPO is {self.rpo_rows} rows, at most {RPO_ROWS}: {self.lost}")
        if self.lost_ms > RPO_MS:
            found.append(f"a row that is lost was acknowledged {self.lost_ms:.0f} ms before the kill")
        if not self.rpo_rows:  # else the books cannot agree: somebody was told of an order that is gone
            found += [f"{figure.rule}: {each}" for figure in self.figures for each in figure.differences]
        return found

    @property
    def lines(self) -> list[str]:
        mode = "synchronous" if self.synchronous else "asynchronous"
        counted = ", ".join(f"{count} {name}" for name, count in self.acknowledged.items())
        return [
            *self.steps,
            *(figure.line for figure in self.figures),
            f"acknowledged: {counted}",
            f"RPO {self.rpo_rows} rows ({self.lost_ms:.0f} ms), {mode}",
            f"RTO {self.rto_ms:.0f} ms (fence and promotion {self.promotion_ms:.0f} ms)",
            *self.over_budget,
        ]


def missing(
    acknowledged: Iterable[Acknowledged], there: Sequence[str]
) -> tuple[list[Acknowledged], list[str]]:
    """Those that are gone, and the addresses that are there more than once."""
    counted = Counter(there)
    lost = [each for each in acknowledged if not counted[each.email]]
    return lost, [email for email, count in counted.items() if count > 1]
