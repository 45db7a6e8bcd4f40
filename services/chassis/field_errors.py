"""Names every wrong field of a body. The decoder stops at the first one, and a form wants to mark them all at once."""

import re
from typing import Any, get_args

import msgspec

from services.chassis.errors import FieldError
from services.chassis.unreadable import UNREADABLE

_PATH = re.compile(r"^(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
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
        return [FieldError("", "must be a JSON object")]
    errors = []
    for field in msgspec.structs.fields(kind):
        if field.encode_name in value:
            errors.extend(_of_value(field.encode_name, value[field.encode_name], field.type))
        elif field.required:
            errors.append(FieldError(field.encode_name, "is required"))
    return errors


def parsed(message: str, at: str = "") -> FieldError:
    """The decoder's message, with its path as a field: `$.tags[0]` under `data` is `data.tags.0`."""
    match = _PATH.match(message)
    text, path = (match["message"], match["path"] or "") if match else (message, "")
    steps = [at] if at else []
    steps += [name or index for name, index in _STEP.findall(path)]
    missing = _MISSING.match(text)
    if missing:
        return FieldError(".".join([*steps, missing["field"]]), "is required")
    return FieldError(".".join(steps), text)


def _of_value(name: str, value: Any, kind: Any) -> list[FieldError]:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as fault:
        return [parsed(str(fault), name)]
    return []


def _struct(annotation: Any) -> type[msgspec.Struct] | None:
    candidates = (annotation, *get_args(annotation))
    return next(
        (kind for kind in candidates if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None
    )
