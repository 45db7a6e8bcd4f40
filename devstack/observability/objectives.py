"""deploy/observability/objectives.toml, read and checked: promises, and what must never be."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from devstack.declaration import ROOT, DeclarationError, Table

FILE = "deploy/observability/objectives.toml"
RUNBOOKS = "docs/runbooks"
_SELECTOR = re.compile(r"[a-z_]+\{[^{}]+\}")
_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*")
_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Severity = Literal["page", "ticket"]


class Objective(Table, frozen=True):
    """`goal` is the ratio of good requests over 30 days. `requests` and `failed`, or `durations` and `within`."""

    name: str
    title: str
    goal: float
    least_failures: int
    runbook: str
    requests: str | None = None
    failed: str | None = None
    durations: str | None = None
    within: float | None = None

    @property
    def events(self) -> str:
        """The series that counts all of its requests."""
        if self.durations is not None:
            return _suffixed(self.durations, "_count")
        return str(self.requests)

    @property
    def failures(self) -> str | None:
        """The series of bad requests; None where they are what `good` leaves over."""
        return None if self.durations is not None else _and(str(self.requests), str(self.failed))

    @property
    def good(self) -> str | None:
        """The series of requests that were quick enough."""
        if self.durations is None:
            return None
        return _and(_suffixed(self.durations, "_bucket"), f'le="{self.within}"')

    @property
    def alert(self) -> str:
        """The beginning of its alerts' names."""
        return "".join(word.capitalize() for word in self.name.split("-"))


class BurnRate(Table, frozen=True):
    """An alert of each objective: the budget burns `factor` times as fast as it may, over both windows."""

    named: str
    factor: float
    long: str
    short: str
    severity: Severity


class Condition(Table, frozen=True):
    """An alert for as long as `expr` has series. `fires` and `quiet` are its tests: series with values.

    A value is a number, or promtool's notation of a sequence at intervals of a minute. `empty` says why what it
    compares may have no series on a stack that is well.
    """

    name: str
    title: str
    expr: str
    severity: Severity
    runbook: str
    fires: dict[str, float | str]
    quiet: dict[str, float | str]
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    empty: str = ""
    wait: str = msgspec.field(name="for", default="0s")


class Objectives(Table, frozen=True):
    objectives: tuple[Objective, ...]
    burn_rates: tuple[BurnRate, ...]
    conditions: tuple[Condition, ...]

    @property
    def windows(self) -> list[str]:
        """Each window of a burn rate, the shortest first, and the budget's own."""
        named = {window for rate in self.burn_rates for window in (rate.long, rate.short)}
        return [*sorted(named, key=seconds), BUDGET_WINDOW]


BUDGET_WINDOW = "30d"


def seconds(duration: str) -> int:
    """Of Prometheus' notation with one unit. Raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration such as 5m")
    return int(match[1]) * _SECONDS[match[2]]


@cache
def objectives() -> Objectives:
    """This checkout's. Raises DeclarationError."""
    return read(ROOT / FILE)


def read(file: Path) -> Objectives:
    """Raises DeclarationError."""
    try:
        found = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Objectives)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise DeclarationError(f"{file.name}: {fault}") from fault
    faults = [f"{file.name}: {fault}" for fault in _faults(found)]
    if faults:
        raise DeclarationError("\n".join(faults))
    return found


def _faults(found: Objectives) -> list[str]:
    faults: list[str] = []
    names = [*(each.name for each in found.objectives), *(each.name for each in found.conditions)]
    faults += [f"{name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for each in found.objectives:
        if not _NAME.fullmatch(each.name):
            faults.append(f"{each.name}: a name is small words with hyphens")
        if not 0 < each.goal < 1:
            faults.append(f"{each.name}: a goal lies between 0 and 1")
        if each.least_failures < 2:
            faults.append(f"{each.name}: one failure alone must not wake anybody")
        of_requests = each.requests is not None and each.failed is not None
        of_durations = each.durations is not None and each.within is not None
        given = [v for v in (each.requests, each.failed, each.durations, each.within) if v is not None]
        if of_requests == of_durations or len(given) != 2:
            faults.append(f"{each.name}: either requests and failed, or durations and within")
        elif not _SELECTOR.fullmatch(each.requests or each.durations or ""):
            faults.append(f"{each.name}: a metric with its labels in braces")
    for rate in found.burn_rates:
        if seconds(rate.short) >= seconds(rate.long):
            faults.append(f"{rate.named}: its short window is the longer one")
    return faults


def _suffixed(selector: str, suffix: str) -> str:
    name, brace, rest = selector.partition("{")
    return f"{name}{suffix}{brace}{rest}"


def _and(selector: str, matcher: str) -> str:
    return f"{selector.removesuffix('}')}, {matcher}}}"
