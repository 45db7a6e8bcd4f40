"""Sent forms: their fields, their idempotency key, and the field errors of an API."""

import re
import uuid
from typing import NamedTuple
from urllib.parse import parse_qsl

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.problems import Problem

MAX_FORM = 64 * 1024
MAX_FIELDS = 100

_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Form(NamedTuple):
    """A sent form."""

    fields: dict[str, str]

    def text(self, name: str) -> str:
        """A field without the white space around it; empty where it is missing."""
        return self.fields.get(name, "").strip()

    def secret(self, name: str) -> str:
        """A password, exactly as typed."""
        return self.fields.get(name, "")

    def checked(self, name: str) -> bool:
        """Whether a checkbox was sent as browsers send one: nothing else is taken for consent."""
        return self.fields.get(name) == "on"

    @property
    def key(self) -> str:
        """The Idempotency-Key that the form was rendered with; a new one where it has none."""
        given = self.fields.get("idempotency_key", "")
        return given if _KEY.fullmatch(given) else str(uuid.uuid4())


async def read(request: PageRequest, most: int = MAX_FORM, fields: int = MAX_FIELDS) -> Form:
    """The form of `request`, of at most `most` bytes and so many fields. Raises Problem 415, 413 or 400."""
    if request.content_type[0] != "application/x-www-form-urlencoded":
        raise Problem(415, "", "Forms are sent as application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, "request-too-large", f"A form is at most {most} bytes.", close=True)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=fields)
    except ValueError as fault:
        raise Problem(400, "", "The form cannot be read.") from fault
    return Form(dict(pairs))


class FieldError(NamedTuple):
    """What is wrong with a field: a code of common/field_codes.py, and what its sentence names."""

    code: str
    params: dict[str, object]


def field_errors(answer: Answer) -> dict[str, FieldError]:
    """The field errors of a problem (`errors: [{field, code, params}]`), by field; their messages are left out."""
    found: dict[str, FieldError] = {}
    errors = answer.document().get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict) and isinstance(error.get("field"), str):
            params = error.get("params")
            field_error = FieldError(str(error.get("code", "")), params if isinstance(params, dict) else {})
            found.setdefault(error["field"], field_error)
    return found


def problem_name(answer: Answer) -> str:
    """The last part of a problem's `type`; empty for about:blank."""
    kind = answer.document().get("type")
    return kind.rpartition("/")[2] if isinstance(kind, str) and kind.startswith("/problems/") else ""
