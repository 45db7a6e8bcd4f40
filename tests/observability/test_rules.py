"""What the repository has for Prometheus and Alertmanager, as their own tools read it."""

import os
import subprocess
from pathlib import Path

import pytest

from devstack.declaration import ROOT
from tests.observability.tools import needs_alertmanager, needs_prometheus

DIRECTORY = ROOT / "deploy/observability"
RULES = DIRECTORY / "rules"
MAIL = {"ALERT_MAIL_TO": "ops@shop.example", "ALERT_SMTP_HOST": "mail.shop.example:587"}
SLACK = {"SLACK_WEBHOOK_URL": "https://hooks.slack.test/services/secret", "SLACK_CHANNEL": "#ops"}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, env=told, cwd=RULES, capture_output=True, text=True, check=False)


@needs_prometheus
def test_the_rules_are_rules() -> None:
    checked = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_prometheus
def test_the_configuration_is_one() -> None:
    # Its rule files are where compose mounts them.
    checked = run("promtool", "check", "config", "--syntax-only", DIRECTORY / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_prometheus
@pytest.mark.parametrize("file", sorted(RULES.glob("*_test.yml")), ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_not_before(file: Path) -> None:
    tested = run("promtool", "test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@needs_alertmanager
@pytest.mark.parametrize(
    "environment",
    [
        {},
        SLACK,
        MAIL,
        {**SLACK, **MAIL, "ALERT_SMTP_USER": "o'hara", "ALERT_SMTP_PASSWORD": "secret"},
        {"WATCHDOG_URL": "https://watchdog.test/ping"},
    ],
    ids=["nobody", "slack", "mail", "both", "watchdog"],
)
def test_what_the_environment_says_is_a_configuration(tmp_path: Path, environment: dict[str, str]) -> None:
    made = run("sh", DIRECTORY / "alertmanager.sh", tmp_path, "true", **environment)
    assert made.returncode == 0, made.stderr
    checked = run("amtool", "check-config", tmp_path / "alertmanager.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    text = (tmp_path / "alertmanager.yml").read_text()
    assert "secret" not in text
    assert ("slack_configs" in text, "email_configs" in text) == (
        "SLACK_WEBHOOK_URL" in environment,
        "ALERT_MAIL_TO" in environment,
    )
    for kept in tmp_path.iterdir():
        assert kept.stat().st_mode & 0o077 == 0, kept.name


def test_mails_without_a_server_are_refused(tmp_path: Path) -> None:
    made = run("sh", DIRECTORY / "alertmanager.sh", tmp_path, "true", ALERT_MAIL_TO="ops@shop.example")
    assert made.returncode != 0
    assert "ALERT_SMTP_HOST" in made.stderr
