"""Recording rules and alerts, as Prometheus reads them.

Of each objective is recorded, for each window: events and failures a second, and their ratio. A ratio of nothing is no
number, so a window without a request has none, and no alert.
https://prometheus.io/docs/practices/rules/ (level:metric:operations)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from devstack.observability.objectives import (
    BUDGET_WINDOW,
    RUNBOOKS,
    BurnRate,
    Condition,
    Objective,
    Objectives,
    seconds,
)

EVENTS = "objective:events:rate{window}"
FAILURES = "objective:failures:rate{window}"
RATIO = "objective:failure_ratio:rate{window}"
GOAL = "objective:goal:ratio"
BUDGET_LEFT = "objective:budget_left:ratio"
SHORT_WINDOWS_S = 3600
"""Longer ones are recorded less often: they change slowly, and each evaluation reads all of their samples."""


def recording(found: Objectives, *, long_every: str = "1m") -> dict[str, Any]:
    """`long_every`: how often windows of more than an hour are recorded."""
    short = [window for window in found.windows if seconds(window) <= SHORT_WINDOWS_S]
    long = [window for window in found.windows if seconds(window) > SHORT_WINDOWS_S]
    return {
        "groups": [
            {
                "name": "objectives, short windows",
                "rules": [
                    rule for each in found.objectives for window in short for rule in _recorded(each, window)
                ],
            },
            {
                "name": "objectives, long windows",
                "interval": long_every,
                "rules": [
                    *(rule for each in found.objectives for w in long for rule in _recorded(each, w)),
                    *(
                        {"record": GOAL, "expr": f"vector({each.goal:g})", "labels": _label(each)}
                        for each in found.objectives
                    ),
                    {
                        "record": BUDGET_LEFT,
                        "expr": f"1 - {RATIO.format(window=BUDGET_WINDOW)} / (1 - {GOAL})",
                    },
                ],
            },
        ]
    }


def alerts(found: Objectives, jobs: Sequence[str], *, down_for: str = "1m") -> dict[str, Any]:
    """`jobs` are those that have to be up."""
    return {
        "groups": [
            {
                "name": "objectives",
                "rules": [burning(each, rate) for each in found.objectives for rate in found.burn_rates],
            },
            {"name": "conditions", "rules": [_condition(each) for each in found.conditions]},
            {"name": "parts", "rules": [part_down(jobs, down_for), watchdog()]},
        ]
    }


def _recorded(objective: Objective, window: str) -> Iterator[dict[str, Any]]:
    events = f"sum(rate({objective.events}[{window}]))"
    if objective.failures is not None:
        # Before the first failure there is no such series: then none failed.
        failures = f"(sum(rate({objective.failures}[{window}])) or vector(0)) and on() ({events})"
    else:
        failures = f"clamp_min({events} - sum(rate({objective.good}[{window}])), 0)"
    for name, expr in (
        (EVENTS, events),
        (FAILURES, failures),
        (RATIO, f"{_of(FAILURES, objective, window)} / ({_of(EVENTS, objective, window)} > 0)"),
    ):
        yield {"record": name.format(window=window), "expr": expr, "labels": _label(objective)}


def burning(objective: Objective, rate: BurnRate) -> dict[str, Any]:
    """Both windows burn, so that it ends soon after the trouble has; and it was more than a few requests."""
    limit = f"{rate.factor:g} * {1 - objective.goal:g}"
    burns = (f"{_of(RATIO, objective, window)} > {limit}" for window in (rate.long, rate.short))
    enough = f"{_of(FAILURES, objective, rate.long)} * {seconds(rate.long)} >= {objective.least_failures}"
    return {
        "alert": f"{objective.alert}{rate.named}",
        "expr": " and ".join((*burns, enough)),
        "labels": {"severity": rate.severity},
        "annotations": _annotations(
            f"{objective.title}: the error budget burns {rate.factor:g} times as fast as it may",
            objective.runbook,
        ),
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "alert": condition.name,
        "expr": condition.expr,
        **({"for": condition.wait} if condition.wait != "0s" else {}),
        "labels": {"severity": condition.severity},
        "annotations": _annotations(condition.title, condition.runbook),
    }


def part_down(jobs: Sequence[str], down_for: str = "1m") -> dict[str, Any]:
    """Its address refuses, or its name has no address any more."""
    gone = " or ".join(f'absent(up{{job="{job}"}})' for job in jobs)
    return {
        "alert": "PartDown",
        "expr": f'max by (job) (up{{job=~"{"|".join(jobs)}"}}) == 0 or {gone}',
        "for": down_for,
        "labels": {"severity": "page"},
        "annotations": _annotations("A part does not answer Prometheus", "parts.md#a-part-is-down"),
    }


def watchdog() -> dict[str, Any]:
    """Always there: whoever stops hearing of it knows that alerts do not arrive (alertmanager#4324)."""
    return {
        "alert": "Watchdog",
        "expr": "vector(1)",
        "labels": {"severity": "none"},
        "annotations": _annotations("Alerts are being evaluated and delivered", "parts.md#watchdog"),
    }


def _of(name: str, objective: Objective, window: str) -> str:
    return f'{name.format(window=window)}{{objective="{objective.name}"}}'


def _label(objective: Objective) -> dict[str, str]:
    return {"objective": objective.name}


def _annotations(summary: str, runbook: str) -> dict[str, str]:
    return {"summary": summary, "runbook": f"{RUNBOOKS}/{runbook}"}
