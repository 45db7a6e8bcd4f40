"""Who goes on the journeys."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from dataclasses import dataclass

import httpx

from tests.e2e.stack import Stack

ADMIN = ("test@example.com", "password123")


@dataclass(frozen=True)
class Tokens:
    access: str
    refresh: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


def sign_in(stack: Stack, email: str = ADMIN[0], password: str = ADMIN[1]) -> Tokens:
    """At auth itself, as the browser's proxy does. The demo account has role admin."""
    answer = httpx.post(
        f"{stack.auth_url}/api/auth/login", json={"email": email, "password": password}, timeout=30
    )
    answer.raise_for_status()
    body = answer.json()
    return Tokens(body["access_token"], body["refresh_token"])


class StandingSession:
    """The demo account's, for a whole run of tests, however slow the machine is."""

    RENEW_AFTER_S = 240.0
    """Well within an access token's life, and with time left for the test that gets it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._tokens: Tokens | None = None
        self._since = 0.0
        self._renewing = threading.Lock()

    def tokens(self) -> Tokens:
        with self._renewing:
            if self._tokens is None or time.monotonic() - self._since > self.RENEW_AFTER_S:
                asked = time.monotonic()
                self._tokens = sign_in(self._stack)
                self._since = asked  # a sign-in that failed renews nothing
            return self._tokens

    async def insist(self, within: float) -> Tokens:
        """The same while parts are broken: a sign-in that fails is tried again, for `within` seconds."""
        give_up = time.monotonic() + within
        while True:
            try:
                return await asyncio.to_thread(self.tokens)
            except httpx.HTTPError:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.2)


def new_member(**changes: str) -> dict[str, str]:
    """The body of a member that nobody has created yet."""
    unique = uuid.uuid4().hex[:12]
    return {"email": f"{unique}@example.com", "name": f"Member {unique}", **changes}


def new_key() -> str:
    return uuid.uuid4().hex
