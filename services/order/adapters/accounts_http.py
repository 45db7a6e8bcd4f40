"""Asks auth who the caller is, on the caller's behalf."""

from uuid import UUID

import msgspec

from common.http_client import CallFailed, HttpClient
from services.chassis.errors import Unauthenticated, Unavailable
from services.order.application.ports import Account

TIMEOUT_S = 3.0
_UNKNOWN = "Your account cannot be looked up at the moment."


class _Me(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    email_verified: bool


class HttpAccounts:
    """`base`: auth's URL."""

    def __init__(self, client: HttpClient, base: str) -> None:
        self._client = client
        self._base = base

    async def of(self, token: str) -> Account:
        try:
            answer = await self._client.call(
                "GET",
                f"{self._base}/api/auth/me",
                timeout=TIMEOUT_S,
                headers={"Authorization": f"Bearer {token}"},
            )
        except CallFailed as fault:
            raise Unavailable(_UNKNOWN) from fault
        if answer.status == 401:
            raise Unauthenticated("Your session has ended.")
        if answer.status != 200:
            raise Unavailable(_UNKNOWN)
        me = msgspec.json.decode(answer.body, type=_Me)
        return Account(id=me.id, email=me.email, confirmed=me.email_verified)
