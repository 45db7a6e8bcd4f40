"""The gateway's own Lua runs for every request: what this project's check refuses though Kong would take it."""

from __future__ import annotations

from devstack.gateway.entities import ConfigError, Configuration

_IDENTIFIES = "token-validator"
_FUNCTIONS = ("pre-function", "post-function")


def refuse_replaced_functions(configuration: Configuration) -> None:
    """Raises ConfigError for a function of a service's or a route's own, and where there is none for all.

    Of two configurations of one plugin Kong runs the closer one alone. There the last look at what needs no token
    would be gone (docs/decisions/0007-what-kong-gets-wrong.md), and the problem documents. Without any, clients say
    who they are.
    """
    for plugin in configuration.plugins:
        place = plugin.route or plugin.service
        if plugin.name in _FUNCTIONS and place is not None:
            raise ConfigError(
                f"plugin {plugin.name}: on {place.name} Kong would run it in place of the one for every request:"
                " write it into that one, which can ask where it is by kong.router.get_route() and get_service()",
                plugin.line,
            )
    for plugin in configuration.plugins:
        if plugin.name == _IDENTIFIES and not _identities_are_taken(configuration):
            raise ConfigError(
                f"plugin {_IDENTIFIES}: there is no pre-function for every request, which takes X-User-Id and its kind"
                " from what clients send",
                plugin.line,
            )


def _identities_are_taken(configuration: Configuration) -> bool:
    return any(
        plugin.name == "pre-function" and plugin.config.get("rewrite")  # for all: others were refused
        for plugin in configuration.plugins
    )
