"""`python -m services.auth` serves auth; `--help` lists its commands (commands.py)."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.auth.app import build
from services.auth.commands import COMMANDS
from services.auth.settings import Settings
from services.chassis import cli

if __name__ == "__main__":
    cli.main("auth", Settings, build, COMMANDS)
