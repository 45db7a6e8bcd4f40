"""`python -m services.catalog` serves the catalog; `--help` lists its commands (commands.py)."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.catalog.app import build
from services.catalog.commands import COMMANDS
from services.catalog.settings import Settings
from services.chassis import cli

if __name__ == "__main__":
    cli.main("catalog", Settings, build, COMMANDS)
