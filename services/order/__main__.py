"""`python -m services.order` serves orders; `--help` lists its commands (commands.py)."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.chassis import cli
from services.order.app import build
from services.order.commands import COMMANDS
from services.order.settings import Settings

if __name__ == "__main__":
    cli.main("order", Settings, build, COMMANDS)
