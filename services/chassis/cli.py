"""A service's command line: `python -m services.NAME` serves, `python -m services.NAME COMMAND` does something else.

Exit statuses: 0 done, 1 refused or not as it should be, 2 a wrong environment or command line
(docs/decisions/0056-commands-on-click.md).
"""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import click
from litestar import Litestar

from services.chassis import settings
from services.chassis.serve import run

CONFIGURATION_ERROR = 2

S = TypeVar("S", bound=settings.ServiceSettings)
P = ParamSpec("P")
R = TypeVar("R")


class Environment(Generic[S]):
    """Read when a command needs it, so that `--help` works anywhere."""

    def __init__(self, service: str, kind: type[S]) -> None:
        self._service = service
        self._kind = kind

    @functools.cached_property
    def settings(self) -> S:
        try:
            return settings.read(self._kind, os.environ)
        except settings.SettingsError as fault:
            click.echo(f"{self._service} cannot start: {fault}", err=True)
            sys.exit(CONFIGURATION_ERROR)


def pass_settings(command: Callable[Concatenate[Any, P], R]) -> Callable[P, R]:
    """Gives a command the service's settings as its first argument."""

    @functools.wraps(command)
    def invoke(*args: P.args, **kwargs: P.kwargs) -> R:
        environment: Environment[Any] = click.get_current_context().find_root().obj
        return command(environment.settings, *args, **kwargs)

    return invoke


def main(
    service: str, kind: type[S], build: Callable[[S], Litestar], commands: Sequence[click.Command] = ()
) -> None:
    """Serves, or runs one of `commands`; does not return."""

    @click.group(
        service, invoke_without_command=True, help=f"Serves {service}; commands do something else with it."
    )
    @click.pass_context
    def group(context: click.Context) -> None:
        context.obj = Environment(service, kind)
        if context.invoked_subcommand is None:
            run(service, context.obj.settings, build)

    for command in commands:
        group.add_command(command)
    group.main(prog_name=f"python -m services.{service}")
