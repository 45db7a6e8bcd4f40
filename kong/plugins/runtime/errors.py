"""What can go wrong between a plugin, the runtime and Kong.

PluginRuntimeError
    ConfigError        a plugin's configuration is wrong, in the named field
    PluginError        a module is not a plugin that can be served
    MalformedMessageError   bytes from Kong that are not the message they should be
    BodyUnreadableError     Kong cannot read the request's body
    AnswerTooLargeError     Kong's answer to a question is over the limit of a frame
    EventOverError          a PDK call after its event has ended
"""

from __future__ import annotations


class PluginRuntimeError(Exception):
    """The base of all."""


class ConfigError(PluginRuntimeError):
    """A field of a plugin's configuration is wrong; the instance does not start."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class PluginError(PluginRuntimeError):
    """A module is not a plugin that can be served."""


class MalformedMessageError(PluginRuntimeError):
    """Bytes from Kong that are not the message they should be."""


class BodyUnreadableError(PluginRuntimeError):
    """Kong cannot read the request's body; its own words."""


class AnswerTooLargeError(PluginRuntimeError):
    """Kong's answer to a question, or to one of those asked with it, is over the limit of a frame: it was not kept."""


class EventOverError(PluginRuntimeError):
    """A PDK call after its event has ended: a task outlived the phase that started it."""


class SocketRefusedError(PluginRuntimeError):
    """The socket's path cannot be taken."""
