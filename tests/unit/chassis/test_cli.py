"""Every service's command line: it helps anywhere, and its exit statuses mean the same (docs/decisions/0056)."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

SERVICES = sorted(
    path.parent.name for path in Path(__file__).parents[3].joinpath("services").glob("*/__main__.py")
)


def started(service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As in a shell that knows nothing of the stack."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", f"services.{service}", *arguments],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_help_needs_no_environment_and_serving_names_what_is_missing(service: str) -> None:
    helped = started(service, "--help")
    assert (helped.returncode, f"Serves {service}" in helped.stdout) == (0, True)
    refused = started(service)
    assert (refused.returncode, "TOKEN_ISSUER is not set" in refused.stderr) == (2, True)


def test_a_command_that_is_none_is_refused() -> None:
    refused = started("bff", "serve-everything")
    assert (refused.returncode, "No such command" in refused.stderr) == (2, True)


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "bff"])
def test_every_command_says_what_it_does(service: str) -> None:
    commands = importlib.import_module(f"services.{service}.commands").COMMANDS
    assert "migrate" in {command.name for command in commands}
    for command in commands:
        nested = command.commands.values() if isinstance(command, click.Group) else ()
        for one in (command, *nested):
            answer = CliRunner().invoke(one, ["--help"])
            assert (answer.exit_code, bool(one.get_short_help_str())) == (0, True), one.name
