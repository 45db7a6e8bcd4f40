"""The files that are generated whole, with their texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from devstack.declaration import Declaration
from devstack.observability import dashboards, panels, rule_tests, rules, scraping
from devstack.observability.objectives import FILE, objectives

DIRECTORY = "deploy/observability"
RECORDING, ALERTS = "recording.yml", "alerts.yml"
_OPENING = "# From gatehouse.toml and {file} by `make generate`: edits are lost.\n"


def files(found: Declaration) -> Iterator[tuple[str, str]]:
    """Raises DeclarationError."""
    promised, jobs = objectives(), sorted(scraping.jobs(found.deployed()))
    recorded, told = rules.recording(promised), rules.alerts(promised, jobs)
    yield f"{DIRECTORY}/prometheus.yml", text(scraping.compose(found))
    yield f"{DIRECTORY}/rules/{RECORDING}", text(recorded)
    yield f"{DIRECTORY}/rules/{ALERTS}", text(told)
    for rate in promised.burn_rates:
        tested = rule_tests.of_burn_rate(promised, jobs, [RECORDING, ALERTS], rate)
        yield f"{DIRECTORY}/rules/burn_rate_{rate.long}_test.yml", text(tested)
    yield f"{DIRECTORY}/rules/conditions_test.yml", text(rule_tests.of_conditions(promised, jobs, ALERTS))
    for dashboard in dashboards.dashboards(promised):
        yield f"{DIRECTORY}/grafana/dashboards/{dashboard.uid}.json", panels.text(dashboard)


def text(content: Any) -> str:
    return _OPENING.format(file=FILE) + yaml.safe_dump(
        content, sort_keys=False, width=1000, allow_unicode=True
    )
