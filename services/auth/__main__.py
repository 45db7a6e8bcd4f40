"""`python -m services.auth` serves auth; with a command (commands.py) it does that instead."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.auth.app import build
from services.auth.commands import COMMANDS
from services.auth.settings import Settings
from services.chassis.serve import serve

if __name__ == "__main__":
    serve("auth", Settings, build, COMMANDS)
