"""One request on its way through the gateway: what came, what goes upstream, what goes back."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from devstack.gateway.headers import Headers
from devstack.gateway.router import Match


class Source(StrEnum):
    """Who made the answer, in Kong's words (`kong.response.get_source`)."""

    SERVICE = "service"
    EXIT = "exit"
    ERROR = "error"


@dataclass
class Answer:
    """A body of None is still to be streamed from the upstream."""

    status: int
    headers: Headers
    body: bytes | None
    source: Source
    reason: str | None = None


class Exit(Exception):  # noqa: N818 - not an error: a plugin has the answer
    """Raised where a plugin answers in the upstream's place (`kong.response.exit`)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Exchange:
    """`headers` are the request's as they go upstream; plugins change them. `path` is normalized."""

    method: str
    target: str
    path: str
    query: str | None
    version: float
    headers: Headers
    body: bytes
    client: tuple[str, int]
    port: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    started: float = field(default_factory=time.time)
    match: Match | None = None
    upstream_path: str = ""
    sent_to: str | None = None
    """Host and port that a plugin has put in the service's place."""
    upstream_latency: float | None = None
    answer: Answer | None = None
    sent_bytes: int = 0
    """Of the answer's body."""
    shared: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)  # by the plugin's id

    @property
    def host(self) -> str:
        """The Host header without its port."""
        value = (self.headers.get("Host") or "").lower()
        return value if value.endswith("]") else value.rsplit(":", 1)[0]
