"""kong/environment.sh: settings of Kong that a deployment would miss only in production."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def _value(variable: str) -> str:
    script = f'GATEHOUSE_HOME=kong KONG_PLUGINS_DIR=/run/kong-plugins; . kong/environment.sh; printf %s "${variable}"'
    return subprocess.run(["sh", "-euc", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_names_are_looked_up_without_srv_records() -> None:
    """Docker's DNS passes those on to the outside; where there is none, every upstream is without a target."""
    order = _value("KONG_DNS_ORDER").split(",")
    assert "SRV" not in order
    assert "A" in order
