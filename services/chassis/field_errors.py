"""Names every wrong field of a body. The decoder stops at the first one, and a form wants to mark them all at once."""

import re
from typing import Any, get_args

import msgspec

from common.field_codes import Parameter
from common.json_errors import UNREADABLE
from services.chassis.errors import FieldError

_PATH = re.compile(r"^(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
_KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^Expected `str` of length >= (?P<min>\d+)$"), "too_short"),
    (re.compile(r"^Expected `str` of length <= (?P<max>\d+)$"), "too_long"),
    (re.compile(r"^Expected `(?:array|object)` of length >= (?P<min>\d+)$"), "too_few"),
    (re.compile(r"^Expected `(?:array|object)` of length <= (?P<max>\d+)$"), "too_many"),
    (re.compile(r"^Expected `(?:int|float|decimal)` >= (?P<min>-?\d+)(?:\.0)?$"), "too_small"),
    (re.compile(r"^Expected `(?:int|float|decimal)` <= (?P<max>-?\d+)(?:\.0)?$"), "too_large"),
    (re.compile(r"^Expected `(?P<expected>[a-z]+)(?: \| null)?`, got `"), "wrong_type"),
    (re.compile(r"^Invalid enum value"), "not_allowed"),
)
"""The decoder's texts, which name its own types and regular expressions, as codes; anything else is `invalid`."""
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def of_body(annotation: Any, body: bytes) -> list[FieldError]:
    """What is wrong with the JSON `body` for a struct type; nothing where that cannot be told field by field."""
    kind = _struct(annotation)
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        return []
    if kind is None:
        return []
    if not isinstance(value, dict):
        return [FieldError.of("", "wrong_type", expected="object")]
    errors = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            errors.extend(_of_value(field.encode_name, value[field.encode_name], field.type))
        elif field.required:
            errors.append(FieldError.of(field.encode_name, "required"))
    return errors


def parsed(message: str, at: str = "") -> FieldError:
    """The decoder's message as a code, with its path as a field: `$.tags[0]` under `data` is `data.tags.0`."""
    match = _PATH.match(message)
    text, path = (match["message"], match["path"] or "") if match else (message, "")
    steps = [at] if at else []
    steps += [name or index for name, index in _STEP.findall(path)]
    missing = _MISSING.match(text)
    if missing:
        return FieldError.of(".".join([*steps, missing["field"]]), "required")
    code, params = _coded(text)
    return FieldError.of(".".join(steps), code, **params)


def _coded(text: str) -> tuple[str, dict[str, Parameter]]:
    for pattern, code in _RULES:
        match = pattern.match(text)
        if match:
            found = match.groupdict()
            if code == "too_short" and found["min"] == "1":
                return "blank", {}
            return code, {name: _parameter(value) for name, value in found.items()}
    return "invalid", {}


def _parameter(text: str) -> Parameter:
    return int(text) if text.lstrip("-").isdigit() else _KINDS.get(text, text)


def _of_value(name: str, value: Any, kind: Any) -> list[FieldError]:
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as fault:
        return [parsed(str(fault), name)]
    return []


def _struct(annotation: Any) -> type[msgspec.Struct] | None:
    candidates = (annotation, *get_args(annotation))
    return next(
        (kind for kind in candidates if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None
    )
