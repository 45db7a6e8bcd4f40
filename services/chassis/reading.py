"""How a request is read, before its handler: the body as strict JSON, parameters by their own grammar."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import ParameterKwarg
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from services.chassis import json_body, media_types, parameters
from services.chassis.errors import FieldError, InvalidInput, NotFound
from services.chassis.parameters import Grammar


class ReadingRequest(Request[Any, Any, Any]):
    """The framework's request, whose JSON is read by our rules and straight into the handler's type."""

    async def json(self) -> Any:
        """Raises UnsupportedMediaType, BadRequest, InvalidInput."""
        body = await self.body()
        media_types.require_json(self.method, self.headers)
        field = self.route_handler.parsed_data_field
        return json_body.read(body, field.annotation if field else Any)


class _Declared(NamedTuple):
    """`required`: parameters of the query that have to be sent."""

    query: Mapping[str, Grammar]
    headers: Mapping[str, Grammar]
    required: tuple[str, ...]


class ParameterCheck:
    """A check of every request (admission.py): parameters that the framework would take for what they are not."""

    def __init__(self) -> None:
        self._declared: dict[tuple[str, str], _Declared] | None = None

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if self._declared is None:
            self._declared = _of_app(connection.app)
        scope = connection.scope
        if scope["path_params"]:
            _check_path(scope["path"], scope["path_params"])
        declared = self._declared.get((scope["path_template"], str(scope.get("method", ""))))
        if declared is None:
            return
        faults = parameters.faults_of_query(scope["query_string"], declared.query)
        if declared.required:
            sent = connection.query_params
            faults += [FieldError.of(name, "required") for name in declared.required if name not in sent]
        for name, grammar in declared.headers.items():
            faults += parameters.faults_of(name, connection.headers.getall(name, []), grammar)
        if faults:
            raise InvalidInput(faults)


def _check_path(path: str, values: Mapping[str, Any]) -> None:
    """One spelling of an id or a number in a path: a member at `/{…}` and at `/urn:uuid:…` would be two resources to a
    cache, and Python's `int` reads `+7`, `007`, `1_0` and digits of every script."""
    parts = path.lower().split("/")
    for value in values.values():
        if isinstance(value, UUID | int) and str(value) not in parts:
            raise NotFound("There is nothing at this address.")


def _of_app(app: Litestar) -> dict[tuple[str, str], _Declared]:
    found = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (handler, model) in route.route_handler_map.items():
            kinds = _parameters(handler)
            found[route.path_format, str(method)] = _Declared(
                {
                    each.field_alias: parameters.grammar(kinds[each.field_name].annotation)
                    for each in model.expected_query_params
                },
                {
                    each.field_alias: parameters.grammar(kinds[each.field_name].annotation)
                    for each in model.expected_header_params
                },
                tuple(sorted(each.field_alias for each in model.expected_query_params if each.is_required)),
            )
    return found


def sent_as(handler: HTTPRouteHandler, argument: str) -> str:
    """The name by which a client sends what the handler takes as `argument`."""
    field = _parameters(handler).get(argument)
    definition = field.kwarg_definition if field else None
    return (definition.name if isinstance(definition, ParameterKwarg) else None) or argument


def _parameters(handler: HTTPRouteHandler) -> dict[str, FieldDefinition]:
    """The handler's own, and those of what it is given by its dependencies."""
    found: dict[str, FieldDefinition] = {}
    for dependency in handler.resolve_dependencies().values():
        found |= dependency.parsed_fn_signature.parameters
    return found | handler.parsed_fn_signature.parameters
