"""Every secret that the journeys use, noted as it goes by, and what of them is found where none may be."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from tempfile import NamedTemporaryFile
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

import httpx

SECRET_NAMES = re.compile(r"password|token|secret|^card$")
"""Members of bodies, parameters of queries and fields of forms."""
SHORTEST = 8
"""Characters: shorter texts are found by chance."""
JWT = re.compile(rb"eyJ[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}")


class SecretsUsed:
    """`personal` are e-mail addresses, `secret` all that opens something."""

    def __init__(self) -> None:
        self.secret: set[str] = set()
        self.personal: set[str] = set()

    def note(self, request: httpx.Request, response: httpx.Response) -> None:
        self._header(request.headers.get("authorization", "").partition(" ")[2])
        for cookies in (request.headers.get_list("cookie"), response.headers.get_list("set-cookie")):
            for line in cookies:
                for morsel in SimpleCookie(line).values():
                    self._header(morsel.value)
        self._fields(dict(parse_qsl(request.url.query.decode())))
        self._body(request.headers, _content(request))
        self._body(response.headers, _content(response))

    def found_in(self, text: bytes, *, personal: bool) -> set[str]:
        """Those that stand in it, by their first characters, and any access token at all."""
        wanted = self.secret | (self.personal if personal else set())
        found = _those_in(text, {secret for secret in wanted if len(secret) >= SHORTEST})
        return {each[:12] + "…" for each in found} | {
            match[:12].decode() + "…" for match in JWT.findall(text)
        }

    def _header(self, value: str) -> None:
        if value:
            self.secret.add(value)

    def _body(self, headers: httpx.Headers, content: bytes) -> None:
        kind = headers.get("content-type", "")
        try:
            if "json" in kind:
                self._members(json.loads(content))
            elif "form" in kind:
                self._fields(dict(parse_qsl(content.decode())))
        except (ValueError, RecursionError):
            return  # what a test sends that is no JSON

    def _members(self, value: Any) -> None:
        if isinstance(value, dict):
            self._fields(value)
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                self._members(one)

    def _fields(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            if isinstance(value, str) and SECRET_NAMES.search(str(name).lower()):
                self.secret.add(value)
            elif isinstance(value, str) and name == "email" and "@" in value:
                self.personal.add(value)


def _those_in(text: bytes, wanted: set[str]) -> set[str]:
    """All at once: grep reads the text a single time, where `in` would read it for each of thousands."""
    one_line = {each for each in wanted if each.isprintable()}
    found = {each for each in wanted - one_line if each.encode() in text}
    with NamedTemporaryFile() as names:
        names.write("\n".join(one_line).encode())
        names.flush()
        grep = ["grep", "--text", "--only-matching", "--fixed-strings", f"--file={names.name}"]
        ended = subprocess.run(
            grep, input=text, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"}
        )
    if ended.returncode > 1:
        raise OSError(f"grep ended with {ended.returncode}: {ended.stderr.decode()}")
    return found | set(ended.stdout.decode("utf-8", "replace").splitlines())


def _content(message: httpx.Request | httpx.Response) -> bytes:
    try:
        return message.content
    except (httpx.RequestNotRead, httpx.ResponseNotRead):
        return b""


@contextmanager
def noted(known: Iterable[str]) -> Iterator[SecretsUsed]:
    """`known` ones, and those of every call that httpx makes inside."""
    used = SecretsUsed()
    used.secret.update(known)
    send = httpx.Client.send

    def sending(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        response = send(client, request, **options)
        used.note(request, response)
        return response

    with patch.object(httpx.Client, "send", sending):
        yield used
