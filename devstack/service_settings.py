"""Which variables each process reads, from its own settings: what else is set is not for it."""

from __future__ import annotations

import importlib
from functools import cache

import msgspec

from common.settings import describe
from devstack.declaration import Process, declaration


def kind(process: Process) -> type[msgspec.Struct] | None:
    """The settings of a service, of the front or of an aid; a plugin's are in kong.yml.template."""
    if process.kind == "plugin":
        return None
    found: type[msgspec.Struct] = importlib.import_module(f"{process.package}.settings").Settings
    return found


def names(process: str) -> frozenset[str]:
    """The variables that the process of this name reads."""
    return names_of(declaration().processes[process])


@cache
def _described(settings: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(variable.name for variable in describe(settings))


def names_of(process: Process) -> frozenset[str]:
    settings = kind(process)
    if settings is None:
        return frozenset({"APP_ENV", "LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG"})
    return _described(settings)
