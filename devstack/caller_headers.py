"""Plugins tell each other who calls by headers: what this project's check refuses though Kong would take it."""

from __future__ import annotations

from common import header_names
from devstack.gateway.chain import in_force
from devstack.gateway.entities import ConfigError, Configuration, Plugin
from devstack.gateway.marks import line_of

_IDENTIFIES = "token-validator"
_DEFAULTS = {
    "user_id_header": header_names.USER_ID,
    "roles_header": header_names.USER_ROLES,
    "session_id_header": header_names.SESSION_ID,
    "caller_header": header_names.USER_ID,
    "user_header": header_names.USER_ID,
}
_SAID = ("user_id_header", "roles_header", "session_id_header")
_READ = (
    ("idempotency", "caller_header", "user_id_header"),
    ("response-cache", "user_header", "user_id_header"),
    ("response-cache", "roles_header", "roles_header"),
)
"""A plugin, its field, and the field of token-validator that has to have the same header."""


def refuse_unlike_callers(configuration: Configuration) -> None:
    """Raises ConfigError for a header of token-validator's that clients may send, or that another plugin does not know.

    Clients could say who they are where no token is judged; keys would be of no account, and the cache would tell
    upstream whose request it makes everybody's answer of.
    """
    functions = [plugin for plugin in configuration.plugins if plugin.name == "pre-function"]
    taken = "".join(code for plugin in functions for code in plugin.config.get("rewrite") or ())
    for plugin in configuration.plugins:
        for field in _SAID if plugin.name == _IDENTIFIES else ():
            name = _header(plugin, field)
            if f'"{name}"' not in taken and f"'{name}'" not in taken:
                raise ConfigError(
                    f'plugin {_IDENTIFIES}: config.{field}: pre-function does not take "{name}" from what clients send:'
                    " write it into its list",
                    line_of(plugin.config, field) or plugin.line,
                )
    for route in configuration.routes:
        plugins = in_force(configuration, route)
        validator = plugins.get(_IDENTIFIES)
        for name, field, said in _READ:
            reader = plugins.get(name)
            if reader and validator and _header(reader, field) != _header(validator, said):
                raise ConfigError(
                    f"plugin {name}: config.{field}: on {route.name} {_IDENTIFIES} tells it by another header,"
                    f' "{_header(validator, said)}"',
                    line_of(reader.config, field) or reader.line,
                )


def _header(plugin: Plugin, field: str) -> str:
    """In lower case."""
    return str(plugin.config.get(field) or _DEFAULTS[field]).lower()
