"""The tests of the alerts, for `promtool test rules`: that each fires when it should, and not before.

Of an objective: it fires where its budget burns a third faster than its limit; not where it burns at half of it; and
not where all of a handful of requests failed. A file has one interval of evaluation, so each burn rate has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devstack.observability import rules
from devstack.observability.objectives import BurnRate, Condition, Objective, Objectives, seconds

STEPS = 48
"""Samples in the longest window of a test."""
BURNS, SMOULDERS = 1.3, 0.5
_MATCHER = re.compile(r'(\w+)=~"5\.\."')


def of_burn_rate(
    found: Objectives, jobs: Sequence[str], files: Sequence[str], rate: BurnRate
) -> dict[str, Any]:
    order = (*rules.recording(found)["groups"], *rules.alerts(found, jobs)["groups"])
    return {
        "rule_files": list(files),
        "group_eval_order": [group["name"] for group in order],
        "evaluation_interval": f"{_step(rate)}s",
        "tests": list(_burning(found, rate)),
    }


def of_conditions(found: Objectives, jobs: Sequence[str], file: str) -> dict[str, Any]:
    return {
        "rule_files": [file],
        "evaluation_interval": "1m",
        "tests": [
            *(test for condition in found.conditions for test in _condition(condition)),
            *_parts(jobs),
        ],
    }


def _step(rate: BurnRate) -> int:
    """Seconds between two samples."""
    return max(60, seconds(rate.long) // STEPS)


def _burning(found: Objectives, rate: BurnRate) -> Iterator[dict[str, Any]]:
    """All objectives in one run: their series do not meet."""
    step = _step(rate)
    steps = seconds(rate.long) // step + 10
    over = seconds(rate.short) // step + 3
    """Steps after which the short window has seen the end of it."""
    for name, share, lasts, expected in (
        ("its budget burns", BURNS, steps, True),
        ("its budget smoulders", SMOULDERS, steps, False),
        ("its budget has burnt, and the trouble is over", BURNS, steps - over, False),
    ):
        series: dict[str, str] = {}
        for each in found.objectives:
            ratio = min(1.0, share * rate.factor * (1 - each.goal))
            failing = [round(1000 * ratio * min(n, lasts), 3) for n in range(steps + 1)]
            good = [1000 * n - failed for n, failed in enumerate(failing)]
            series |= _requests(each, failing, good)
        yield _test(f"{rate.named}: {name}", step, steps, series, found, rate, expected)
    few: dict[str, str] = {}
    for each in found.objectives:
        failing = [float(max(0, each.least_failures - 1 - steps + n)) for n in range(steps + 1)]
        few |= _requests(each, failing, [0.0] * (steps + 1))
    yield _test(f"{rate.named}: few requests, and all fail", step, steps, few, found, rate, False)


def _requests(objective: Objective, failing: Sequence[float], good: Sequence[float]) -> dict[str, str]:
    """Series of requests that fail, and of those that do not, in promtool's notation."""
    if objective.good is None:
        matcher = _MATCHER.fullmatch(str(objective.failed))
        if matcher is None:
            raise ValueError(f'{objective.name}: failed is LABEL=~"5.."')
        of = f"{str(objective.requests).removesuffix('}')}, {matcher[1]}"
        return {f'{of}="503"}}': _sequence(failing), f'{of}="200"}}': _sequence(good)}
    whole = [one + other for one, other in zip(failing, good, strict=True)]
    return {objective.events: _sequence(whole), objective.good: _sequence(good)}


def _sequence(values: Sequence[float]) -> str:
    """Short where they rise evenly."""
    first, second, *_ = values
    by = round(second - first, 3)
    if all(round(value - first - by * place, 2) == 0 for place, value in enumerate(values)):
        return f"{first:g}+{by:g}x{len(values) - 1}"
    return " ".join(f"{value:.10g}" for value in values)


def _test(
    name: str,
    step: int,
    steps: int,
    series: Mapping[str, str],
    found: Objectives,
    rate: BurnRate,
    fires: bool,
) -> dict[str, Any]:
    return {
        "name": name,
        "interval": f"{step}s",
        "input_series": _series(series),
        "alert_rule_test": [
            _expected(
                rules.burning(each, rate), f"{steps * step}s", {"objective": each.name} if fires else None
            )
            for each in found.objectives
        ],
    }


def _condition(condition: Condition) -> Iterator[dict[str, Any]]:
    rule = {
        "alert": condition.name,
        "labels": {"severity": condition.severity},
        "annotations": {"summary": condition.title, "runbook": f"docs/runbooks/{condition.runbook}"},
    }
    for name, given, labels in (
        ("fires", condition.fires, condition.labels),
        ("is quiet", condition.quiet, None),
    ):
        yield {
            "name": f"{condition.name} {name}",
            "interval": "1m",
            "input_series": _series({key: _values(value) for key, value in given.items()}),
            "alert_rule_test": [_expected(rule, "12m", labels)],
        }


def _parts(jobs: Sequence[str]) -> Iterator[dict[str, Any]]:
    first, second, *others = jobs
    up = {f'up{{job="{job}", instance="a"}}': "1x20" for job in others}
    rule, dog = rules.part_down(jobs), rules.watchdog()
    yield {
        "name": "a part refuses, another has no address any more",
        "interval": "1m",
        "input_series": _series({**up, f'up{{job="{first}", instance="a"}}': "0x20"}),
        "alert_rule_test": [
            {
                **_expected(rule, "10m", {"job": first}),
                "exp_alerts": [
                    alert
                    for job in (first, second)
                    for alert in _expected(rule, "10m", {"job": job})["exp_alerts"]
                ],
            },
            _expected(dog, "10m", {}),
        ],
    }
    replicas = {f'up{{job="{first}", instance="{one}"}}': f"{n}x20" for one, n in (("a", 0), ("b", 1))}
    yield {
        "name": "one of two replicas is up",
        "interval": "1m",
        "input_series": _series({**up, **replicas, f'up{{job="{second}", instance="a"}}': "1x20"}),
        "alert_rule_test": [_expected(rule, "10m", None)],
    }


def _expected(rule: Mapping[str, Any], at: str, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """`labels` beside the rule's own; None where it must not fire."""
    fires = (
        []
        if labels is None
        else [{"exp_labels": {**rule["labels"], **labels}, "exp_annotations": rule["annotations"]}]
    )
    return {"eval_time": at, "alertname": rule["alert"], "exp_alerts": fires}


def _series(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"series": series, "values": text} for series, text in values.items()]


def _values(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}x60"
