"""`python -m services.member` serves member; `--help` lists its commands (commands.py)."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.chassis import cli
from services.member.app import build
from services.member.commands import COMMANDS
from services.member.settings import Settings

if __name__ == "__main__":
    cli.main("member", Settings, build, COMMANDS)
