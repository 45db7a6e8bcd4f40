"""The table of objectives: it is refused where it makes no sense, and every alert of it says what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.telemetry.metrics import REQUEST_BOUNDS_S
from devstack.declaration import ROOT, DeclarationError
from devstack.observability import files, objectives

ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / files.DIRECTORY / "rules/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
TABLE = (ROOT / objectives.FILE).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_names_a_section_of_a_runbook(alert: dict[str, Any]) -> None:
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert anchor in anchors(ROOT / page)
    assert alert["labels"]["severity"] in ("page", "ticket", "none")


def test_each_section_of_a_runbook_is_of_an_alert() -> None:
    named = {alert["annotations"]["runbook"] for alert in ALERTS}
    pages = [page for page in (ROOT / objectives.RUNBOOKS).glob("*.md") if page.name != "README.md"]
    sections = {
        f"{objectives.RUNBOOKS}/{page.name}#{anchor}"
        for page in pages
        for anchor in anchors(page)
        if not page.read_text(encoding="utf-8").startswith(f"# {_title(page)}\n") or anchor != _slug(page)
    }
    assert sections == named


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def _slug(page: Path) -> str:
    return re.sub(r"[^\w\- ]", "", _title(page).lower()).replace(" ", "-")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_the_runbook_speaks_of_each_alert_by_name(alert: dict[str, Any]) -> None:
    text = (ROOT / alert["annotations"]["runbook"].partition("#")[0]).read_text(encoding="utf-8")
    ends = [rate.named for rate in objectives.objectives().burn_rates]
    names = [alert["alert"], *(end for end in ends if alert["alert"].endswith(end))]
    assert any(f"`{name}`" in text for name in names)


def test_the_limit_of_a_duration_is_a_bound_of_its_histogram() -> None:
    limits = {each.within for each in objectives.objectives().objectives if each.within is not None}
    assert limits
    assert limits <= set(REQUEST_BOUNDS_S)


@pytest.mark.parametrize(
    ("changed", "by", "complaint"),
    [
        ("goal = 0.995", "goal = 1.0", "a goal lies between 0 and 1"),
        ("least_failures = 5", "least_failures = 1", "one failure alone must not wake anybody"),
        ("within = 1.0\n", "", "either requests and failed, or durations and within"),
        ('name = "browse-latency"', 'name = "browse-availability"', "browse-availability is there twice"),
        ('short = "5m"', 'short = "2h"', "its short window is the longer one"),
        ('title = "The shelves are open"', 'titel = "x"', "titel"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(
    tmp_path: Path, changed: str, by: str, complaint: str
) -> None:
    assert changed in TABLE
    file = tmp_path / "objectives.toml"
    file.write_text(TABLE.replace(changed, by, 1), encoding="utf-8")
    with pytest.raises(DeclarationError, match=complaint):
        objectives.read(file)
