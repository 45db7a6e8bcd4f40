"""What the Prometheus operator gets: the jobs that the rules ask for, and the rules."""

from typing import Any

import yaml

from devstack.declaration import ROOT, declaration
from devstack.observability import scraping
from tests.chart.charts import render
from tests.chart.matrix import MATRIX

FILES, VALUES = MATRIX["production"]


def found(kind: str) -> Any:
    [one] = [each for each in render(VALUES, *FILES) if each["kind"] == kind]
    return one["spec"]


def test_each_process_is_a_job_of_its_own_name() -> None:
    components = {p.name.replace("_", "-"): p.name for p in declaration().deployed().services}
    jobs = set()
    for endpoint in found("PodMonitor")["podMetricsEndpoints"]:
        [job] = [rule for rule in endpoint["relabelings"] if rule.get("targetLabel") == "job"]
        jobs |= {job["replacement"]} if "replacement" in job else set(components.values())
        if "replacement" not in job:
            # A service's component is its name.
            assert all(component == name for component, name in components.items())
    assert jobs == set(scraping.jobs(declaration().deployed()))


def test_the_rules_are_those_of_every_other_way_to_run() -> None:
    rules = [
        yaml.safe_load((ROOT / f"deploy/observability/rules/{name}.yml").read_text())
        for name in ("recording", "alerts")
    ]
    assert found("PrometheusRule")["groups"] == [group for file in rules for group in file["groups"]]
