"""The gateway's own answers, in Kong's words and formats (kong/error_handlers.lua, kong/tools/http.lua)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.gateway.exchange import Answer, Exchange, Source
from devstack.gateway.headers import Headers

_JSON = "application/json; charset=utf-8"
_MIME_TYPES = {
    "text/html": "text/html; charset=utf-8",
    "application/json": _JSON,
    "text/plain": "text/plain; charset=utf-8",
    "application/xml": "application/xml; charset=utf-8",
    "application/*": _JSON,
    "text/*": "text/plain; charset=utf-8",
    "*/*": _JSON,
}
_FORMATS = {"application/json": "json", "text/html": "html", "application/xml": "xml", "text/plain": "plain"}
_TEMPLATES = {
    "json": '{\n  "message":"%s",\n  "request_id":"%s"\n}',
    "plain": "%s\nrequest_id: %s\n",
    "html": (
        '<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n'
        "  <body>\n    <h1>Error</h1>\n    <p>%s.</p>\n    <p>request_id: %s</p>\n  </body>\n</html>\n"
    ),
    "xml": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>%s</message>\n'
        "  <requestid>%s</requestid>\n</error>\n"
    ),
}
_MESSAGES = {
    400: "Bad request",
    404: "Not found",
    408: "Request timeout",
    411: "Length required",
    413: "Payload too large",
    414: "URI too long",
    417: "Expectation failed",
    494: "Request header or cookie too large",  # nginx' number, which Kong answers as 400
    500: "An unexpected error occurred",
    501: "Not Implemented",
    502: "An invalid response was received from the upstream server",
    503: "The upstream server is currently unavailable",
    504: "The upstream server is timing out",
    505: "HTTP Version Not Supported",
}


@dataclass(frozen=True)
class OwnAnswers:
    """`templates` replace Kong's own, by format; `default_type` is for clients that name none."""

    templates: Mapping[str, str]
    default_type: str = "text/plain"

    def failed(self, exchange: Exchange, status: int) -> Answer:
        """Something broke on the way: Kong's error page."""
        named = exchange.headers.joined("Accept") or exchange.headers.get("Content-Type") or self.default_type
        answer = self._answer(exchange, 400 if status == 494 else status, _MESSAGES.get(status, ""), named)
        answer.source = Source.ERROR
        return answer

    def refused(self, exchange: Exchange, status: int, message: str | None) -> Answer:
        """A plugin or the router says no (`kong.response.error`)."""
        text = message if message is not None else _MESSAGES.get(status, "")
        return self._answer(exchange, status, text, exchange.headers.joined("Accept"))

    def _answer(self, exchange: Exchange, status: int, message: str, accept: str | None) -> Answer:
        content_type = response_type(accept)
        template = {**_TEMPLATES, **self.templates}[_FORMATS[content_type.split(";")[0]]]
        body = template.replace("%s", message, 1).replace("%s", exchange.id, 1).replace("%%", "%").encode()
        headers = Headers([("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return Answer(status, headers, body, Source.EXIT)


def read_templates(environment: Mapping[str, str]) -> dict[str, str]:
    """The files that KONG_ERROR_TEMPLATE_JSON, _PLAIN, _HTML and _XML name."""
    named = {name: environment.get(f"KONG_ERROR_TEMPLATE_{name.upper()}") for name in _TEMPLATES}
    return {name: Path(file).read_text() for name, file in named.items() if file}


def response_type(accept: str | None) -> str:
    """The media type that the client likes best of those that Kong has."""
    best, best_quality = _JSON, 0.0
    for entry in (accept or "").split(","):
        found = re.match(r"\s*([\w.+!#$&^*-]+/[\w.+!#$&^*-]+)(?:.*?;\s*q\s*=\s*([01](?:\.\d{0,3})?))?", entry)
        if found is None:
            continue
        quality = float(found[2] or 1)
        if quality > best_quality:
            best_quality = quality
            best = _MIME_TYPES.get(found[1].lower(), _JSON)
    return best
