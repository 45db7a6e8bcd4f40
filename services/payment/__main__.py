"""`python -m services.payment` serves payments; `--help` lists its commands (commands.py)."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.chassis import cli
from services.payment.app import build
from services.payment.commands import COMMANDS
from services.payment.settings import Settings

if __name__ == "__main__":
    cli.main("payment", Settings, build, COMMANDS)
