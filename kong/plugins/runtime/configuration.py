"""A plugin's configuration, declared once as a msgspec struct: Kong's schema of it, and Kong's values in it. Pure.

Kong checks a configuration by the schema before a plugin sees it, and fills in the defaults. The stand-in gateway and
tests may not have, so the same declaration is applied once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from kong.plugins.runtime.errors import ConfigError, PluginError

Rules = dict[str, Any]
"""What Kong's schema language says of one field (`kong/db/schema/metaschema.lua`)."""

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
_LISTS = {list: "array", tuple: "array", set: "set", frozenset: "set"}
_SHORTEST, _LONGEST = 10, 500
"""Characters of a description; Kong refuses others."""
_EXTRAS = frozenset(("referenceable", "encrypted"))
"""What `Meta(extra=…)` may say: the value can come from a vault, or is kept encrypted."""

C = TypeVar("C", bound=msgspec.Struct)


def schema(config: type[msgspec.Struct]) -> list[dict[str, Rules]]:
    """Kong's schema of the fields of `config`, in their order.

    Types and `Meta` become Kong's: `Literal` is one_of, ge and le between, pattern match, min_length len_min. Raises
    PluginError naming a field without a description, or with something that Kong's schema cannot say.
    """
    return [{field.name: _field(field)} for field in msgspec.structs.fields(config)]


def read(config: type[C], given: Mapping[str, Any]) -> C:
    """`given` as `config`; what is absent or null has its default. Raises ConfigError naming the field."""
    values = {}
    for field in msgspec.structs.fields(config):
        value = given.get(field.name)
        if value is None:
            if field.required:
                raise ConfigError(field.name, "required field missing")
            continue
        try:
            values[field.name] = msgspec.convert(_as_meant(value), field.type)
        except msgspec.ValidationError as error:
            raise ConfigError(field.name, str(error)) from None
    return config(**values)


def _as_meant(value: Any) -> Any:
    """Of Lua, which has one kind of table and of number: an empty list comes as `{}`, and 5 may come as 5.0."""
    if isinstance(value, list):
        return [_as_meant(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [] if value == {} else value


def _field(field: msgspec.structs.FieldInfo) -> Rules:
    rules = _rules(field.name, field.type)
    if not _SHORTEST <= len(rules.get("description", "")) <= _LONGEST:
        raise PluginError(f"{field.name}: a description has {_SHORTEST} to {_LONGEST} characters")
    if field.required:
        rules["required"] = True
        return rules
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if default is not None:
        try:
            msgspec.convert(default, field.type)
        except msgspec.ValidationError as error:
            raise PluginError(f"{field.name}: its default: {error}") from None
        rules["default"] = list(default) if rules["type"] in ("array", "set") else default
    return rules


def _rules(name: str, annotation: Any) -> Rules:
    kind, metas = _unwrapped(annotation)
    rules = _type(name, kind)
    for meta in metas:
        rules |= _said(name, meta)
    return rules


def _unwrapped(annotation: Any) -> tuple[Any, list[Meta]]:
    """The type inside `Annotated` and `… | None`, with what was said of it on the way."""
    metas: list[Meta] = []
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation = arguments[0]
            metas += [extra for extra in arguments[1:] if isinstance(extra, Meta)]
        elif origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
            (annotation,) = (one for one in arguments if one is not NoneType)
        else:
            return annotation, metas


def _type(name: str, kind: Any) -> Rules:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal and all(isinstance(choice, str) for choice in arguments):
        return {"type": "string", "one_of": list(arguments)}
    if origin in _LISTS and (origin is not tuple or arguments[1:] == (Ellipsis,)):
        return {"type": _LISTS[origin], "elements": _rules(name, arguments[0])}
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    raise PluginError(f"{name}: {kind} has no type in Kong's schema")


def _said(name: str, meta: Meta) -> Rules:
    rules: Rules = {}
    if meta.description is not None:
        rules["description"] = meta.description
    if meta.ge is not None and meta.le is not None:
        rules["between"] = [meta.ge, meta.le]
    elif meta.ge is not None or meta.le is not None:
        raise PluginError(f"{name}: Kong knows ge and le together alone")
    if meta.gt is not None or meta.lt is not None or meta.multiple_of is not None:
        raise PluginError(f"{name}: gt, lt and multiple_of are not Kong's: say ge and le")
    if meta.pattern is not None:
        rules["match"] = _lua_pattern(name, meta.pattern)
    if meta.min_length is not None:
        rules["len_min"] = meta.min_length
    if meta.max_length is not None:
        rules["len_max"] = meta.max_length
    extra = meta.extra or {}
    if unknown := set(extra) - _EXTRAS:
        raise PluginError(f"{name}: extra says {', '.join(sorted(unknown))}, which nothing reads")
    return rules | extra


def _lua_pattern(name: str, expression: str) -> str:
    r"""The same in Lua: for what both languages write alike, and `\Z` (Lua's `$` allows no line break after it)."""
    pattern, end = (expression[:-2], "$") if expression.endswith(r"\Z") else (expression, "")
    outside_classes = re.sub(r"\[[^\]]*\]", "", pattern)
    if re.search(r"[\\%$(){}|]", pattern) or re.search(r"-|[*+?][*+?]", outside_classes):
        raise PluginError(rf"{name}: the pattern is not one in Lua as well; the end of the text is \Z")
    return pattern + end
