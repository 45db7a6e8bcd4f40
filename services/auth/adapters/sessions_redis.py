"""Sessions in Redis: `auth:session:<sid>` holds one, `auth:account:<id>:sessions` an account's, by their end.

Each change that only one caller may win is one Lua script (`scripts/`). Redis down: the call raises, and the
caller gets a 503; no session is opened, refreshed or taken for alive.
"""

from importlib.resources import files
from typing import Any
from uuid import UUID

from coredis import Redis
from coredis.commands import Script

from services.auth.adapters import sealing
from services.auth.application.ports import Reused, Rotated
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session

_FIELDS = ("account", "device", "address", "created_at", "last_seen_at")


class RedisSessions:
    """`most`: living sessions of one account; the one that would end first makes room for a new one."""

    def __init__(self, client: Redis[bytes], lifetimes: Lifetimes, *, most: int = 500) -> None:
        self._client = client
        self._lifetimes = lifetimes
        self._most = most
        self._open = _script(client, "finish", "open")
        self._rotate = _script(client, "finish", "rotate")
        self._end = _script(client, "finish", "end")
        self._end_all = _script(client, "finish", "end_all")

    async def open(self, session: Session, token: RefreshToken) -> None:
        now = session.created_at
        await self._open(
            [_session_key(session.id), _account_key(session.account)],
            [
                str(session.id),
                str(session.account),
                token.digest,
                session.device,
                session.address,
                repr(now),
                self._lifetimes.refresh_for(now, now),
                self._most,
                self._lifetimes.revoked_until(now),
            ],
        )

    async def rotate(
        self, presented: RefreshToken, successor: RefreshToken, now: float
    ) -> Rotated | Reused | None:
        key = _successor_seal(presented)
        answer: Any = await self._rotate(
            [_session_key(presented.session), f"auth:successor:{presented.digest}"],
            [
                str(presented.session),
                presented.digest,
                successor.digest,
                sealing.seal(key, successor.text.encode()),
                repr(now),
                self._lifetimes.idle,
                self._lifetimes.absolute,
                self._lifetimes.grace,
                self._lifetimes.revoked_until(now),
            ],
        )
        match answer:
            case [b"rotated", *found]:
                return Rotated(_session(presented.session, found), successor.text)
            case [b"again", *found, sealed]:
                return Rotated(_session(presented.session, found), sealing.unseal(key, sealed).decode())
            case [b"reused", account]:
                return Reused(UUID(account.decode()))
            case _:
                return None

    async def find(self, id_: UUID, now: float) -> Session | None:
        found = await self._client.hmget(_session_key(id_), _FIELDS)
        return self._alive(id_, found, now)

    async def of(self, account: UUID, now: float) -> list[Session]:
        ids = await self._client.zrange(_account_key(account), 0, -1)
        keys = [UUID(bytes(id_).decode()) for id_ in ids]
        async with self._client.pipeline(transaction=False) as pipeline:
            asked = [pipeline.hmget(_session_key(key), _FIELDS) for key in keys]
        living = [self._alive(key, await found, now) for key, found in zip(keys, asked, strict=True)]
        return sorted((one for one in living if one), key=lambda one: one.last_seen_at, reverse=True)

    async def end(self, id_: UUID, now: float) -> UUID | None:
        account: Any = await self._end([_session_key(id_)], [str(id_), self._lifetimes.revoked_until(now)])
        return UUID(account.decode()) if account else None

    async def end_all(self, account: UUID, now: float, *, except_for: UUID | None = None) -> int:
        spared = str(except_for) if except_for else ""
        ended: Any = await self._end_all(
            [_account_key(account)], [str(account), spared, self._lifetimes.revoked_until(now)]
        )
        return int(ended)

    def _alive(self, id_: UUID, found: Any, now: float) -> Session | None:
        if found[0] is None:
            return None
        session = _session(id_, found)
        # Redis expires the key by its own clock, to the second; this is exact.
        idle_end = session.last_seen_at + self._lifetimes.idle
        return session if now < min(idle_end, session.created_at + self._lifetimes.absolute) else None


def _script(client: Redis[bytes], *names: str) -> Script[bytes]:
    folder = files("services.auth.adapters").joinpath("scripts")
    return client.register_script(
        "".join(folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names)
    )


def _session_key(id_: UUID) -> str:
    return f"auth:session:{id_}"


def _account_key(account: UUID) -> str:
    return f"auth:account:{account}:sessions"


def _successor_seal(presented: RefreshToken) -> bytes:
    """Only who has the former token can open its successor: the store alone cannot."""
    return sealing.derive(presented.text.encode(), "refresh token successor")


def _session(id_: UUID, found: Any) -> Session:
    account, device, address, created_at, last_seen_at = (bytes(value).decode() for value in found)
    return Session(
        id=id_,
        account=UUID(account),
        device=device,
        address=address,
        created_at=float(created_at),
        last_seen_at=float(last_seen_at),
    )
