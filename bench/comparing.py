"""What a run of all benches says against the committed one. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from bench.figures import Kind

WORSE_BY = 1.15
"""From here on a figure is named as a regression."""


class Figure(msgspec.Struct, frozen=True):
    """As `figures.figure` wrote it. `yardstick`: CPU microseconds of the fixed work, measured beside it. `lowest` and
    `highest` of several runs.
    """

    name: str
    value: float
    kind: Kind
    budget: float | None = None
    at_least: bool = False
    yardstick: float = 1.0
    lowest: float | None = None
    highest: float | None = None

    @property
    def comparable(self) -> float | None:
        """What two runs may be compared by; None where they may not."""
        if self.kind == "clock":
            return None
        return self.value / self.yardstick if self.kind == "cpu" else self.value

    @property
    def missed(self) -> bool:
        if self.budget is None:
            return False
        return self.value < self.budget if self.at_least else self.value > self.budget

    def worse_than(self, before: "Figure") -> float | None:
        """How many times worse; below 1 it is better. None where the two cannot be compared."""
        now, then = self.comparable, before.comparable
        if now is None or then is None or now <= 0 or then <= 0 or self.kind != before.kind:
            return None
        return then / now if self.at_least else now / then


def middle(runs: Sequence[Figure]) -> Figure:
    """Of several runs the median one, with the spread of them all."""
    ranked = sorted(runs, key=lambda each: each.value)
    found = ranked[len(ranked) // 2]
    if len(runs) == 1:
        return found
    return msgspec.structs.replace(found, lowest=ranked[0].value, highest=ranked[-1].value)


def better(one: Figure, other: Figure) -> Figure:
    """Of two measurements of one figure that with the less noise in it."""
    worse = one.worse_than(other)
    if worse is None:
        return min(one, other, key=lambda each: -each.value if each.at_least else each.value)
    return other if worse > 1 else one


def regressions(now: Mapping[str, Figure], before: Mapping[str, Figure]) -> dict[str, float]:
    """By name, how many times worse than before; those alone that are worse by more than noise explains."""
    found = {}
    for name, figure in now.items():
        worse = figure.worse_than(before[name]) if name in before else None
        if worse is not None and worse > WORSE_BY:
            found[name] = worse
    return found


def table(now: Sequence[Figure], before: Mapping[str, Figure]) -> Iterator[str]:
    """Markdown."""
    yield "| figure | value | budget | against the committed run |"
    yield "| --- | --- | --- | --- |"
    for figure in now:
        worse = figure.worse_than(before[figure.name]) if figure.name in before else None
        against = "" if worse is None else f"{worse:.2f} times" + (" **worse**" if worse > WORSE_BY else "")
        budget = (
            "" if figure.budget is None else f"{figure.budget:g}" + (" **missed**" if figure.missed else "")
        )
        yield f"| {figure.name} | {_shown(figure)} | {budget} | {against} |"


def _shown(figure: Figure) -> str:
    unit = {"cpu": " µs CPU", "ratio": "", "clock": ""}[figure.kind]
    if figure.lowest is None or figure.highest is None:
        return _number(figure.value) + unit
    return f"{_number(figure.value)}{unit} ({_number(figure.lowest)} to {_number(figure.highest)})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
