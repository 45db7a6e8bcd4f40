"""Auth and the gateway as real HTTP servers that do what a test tells them and remember what they were sent."""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """A request as an upstream had it."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass
class Double:
    """An upstream on a port of its own."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.raw_path, request.headers, body))
        # `request.read` keeps what it read, so that an answer may read it again.
        return await self.answer(request) if self.answer else web.json_response({"ok": True})


@asynccontextmanager
async def running(double: Double) -> AsyncIterator[Double]:
    """Serves `double` until the context ends."""
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", double.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    double.port = runner.addresses[0][1]
    try:
        yield double
    finally:
        await runner.cleanup()


def access_token(
    *,
    expires_in: float = 600,
    issued: float | None = None,
    roles: tuple[str, ...] = (),
    session: str = "the-session",
) -> str:
    """A token in auth's form; its signature is nothing that this proxy could check."""
    now = time.time()
    claims = {
        "iat": int(now if issued is None else issued),
        "exp": int(now + expires_in),
        "sub": str(uuid.uuid4()),
        "sid": session,
        "jti": str(uuid.uuid4()),
        "roles": list(roles),
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "ES256"}, claims)
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


class Auth:
    """Auth's session calls: rotation, and the refusal of what it did not hand out last."""

    def __init__(self) -> None:
        self.current: str | None = None
        self.refreshes = 0
        self.logged_out: list[dict[str, str]] = []
        self.refresh_takes = 0.0
        self.roles: tuple[str, ...] = ()
        self.expires_in = 600.0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        call = request.path.rpartition("/")[2]
        document = json.loads(await request.read() or b"{}")
        if call == "login":
            if document.get("password") != "password123":
                return refusal(401)
            return self._tokens()
        if call == "guest":
            return self._tokens(("guest",))
        if call == "refresh":
            self.refreshes += 1
            await asyncio.sleep(self.refresh_takes)
            return self._tokens() if document.get("refresh_token") == self.current else refusal(401)
        if call == "register":
            return web.json_response({"id": str(uuid.uuid4())}, status=201)
        if call == "logout":
            self.logged_out.append({"authorization": request.headers.get("Authorization", ""), **document})
            self.current = None
            return web.Response(status=204)
        return refusal(404)

    def _tokens(self, roles: tuple[str, ...] | None = None) -> web.Response:
        self.current = uuid.uuid4().hex
        return web.json_response(
            {
                "access_token": access_token(
                    expires_in=self.expires_in, roles=self.roles if roles is None else roles
                ),
                "token_type": "Bearer",
                "expires_in": 600,
                "refresh_token": self.current,
                "refresh_expires_in": 1209600,
            }
        )


def refusal(status: int, **headers: str) -> web.Response:
    """A problem as the upstreams answer it."""
    document = {"type": "about:blank", "title": "Refused", "status": status, "detail": "from upstream"}
    return web.json_response(
        document, status=status, content_type="application/problem+json", headers=headers
    )
