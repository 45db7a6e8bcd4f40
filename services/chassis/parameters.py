"""The grammar of parameters in queries and headers. The framework would take `1e1` for a number and `0.5` for a time.
Two hops that read one text differently are where faults hide, so each value has one spelling. Pure.

A parameter that is sent twice is refused, and on an address with parameters so is one that it does not know: a misspelt
filter would list everybody. Addresses without any ignore the query, as links come with all sorts of marks in them.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, get_args
from urllib.parse import parse_qsl
from uuid import UUID

from services.chassis.errors import FieldError

MOST = 64


class Grammar(NamedTuple):
    pattern: re.Pattern[str]
    wanted: str


_INTEGER = Grammar(re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII), "integer")
_BOOLEAN = Grammar(re.compile(r"true|false"), "boolean")
_MOMENT = Grammar(
    re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?",
        re.ASCII,
    ),
    "RFC 3339 time, with + as %2B",
)
_UUID = Grammar(re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII), "UUID")
_TEXT = Grammar(re.compile(r"[^\x00]*"), "text without null characters")
_GRAMMARS: Mapping[type, Grammar] = {bool: _BOOLEAN, int: _INTEGER, datetime: _MOMENT, UUID: _UUID}


def grammar(annotation: Any) -> Grammar:
    """Of a parameter's type; `None` beside it says only that it may be left out."""
    kinds = get_args(annotation) or (annotation,)
    return next((_GRAMMARS[kind] for kind in kinds if kind in _GRAMMARS), _TEXT)


def faults_of_query(query: bytes, known: Mapping[str, Grammar]) -> list[FieldError]:
    """`known`: the address' parameters, by the names that clients use."""
    if not known:
        return []
    try:
        pairs = parse_qsl(
            query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST, separator="&"
        )
    except ValueError:
        return [FieldError.of("", "wrong_type", expected=f"query in UTF-8 with at most {MOST} parameters")]
    found = []
    seen = set()
    for name, value in pairs:
        if name not in known:
            found.append(FieldError.of(name[:64], "unknown_parameter"))
        elif name in seen:
            found.append(FieldError.of(name, "repeated"))
        else:
            found += faults_of(name, [value], known[name])
        seen.add(name)
    return found


def faults_of(name: str, values: Iterable[str], wanted: Grammar) -> list[FieldError]:
    values = list(values)
    if len(values) > 1:
        return [FieldError.of(name, "repeated")]
    return [
        FieldError.of(name, "wrong_type", expected=wanted.wanted)
        for value in values
        if not wanted.pattern.fullmatch(value)
    ]
