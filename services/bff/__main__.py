"""`python -m services.bff` serves the screens."""

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever would import what it hides

from services.bff.app import build
from services.bff.settings import Settings
from services.chassis import cli

if __name__ == "__main__":
    cli.main("bff", Settings, build)
