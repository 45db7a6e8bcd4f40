"""Rounds of sign-outs, password changes, refreshes and registrations, each followed by kill -9 of stores and processes.

What was answered must hold afterwards, and must not be undone for a moment on the way back. auth and token-validator
run as they are served, on a PostgreSQL and a Redis of their own that keep what they write; something else writes to the
disk all the time. A killed Redis may come back with all that it wrote, without the last of it (the disk did not have it
yet) or with nothing.
"""

import asyncio
import base64
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from devstack import throwaway, unprivileged
from devstack.kongside.client import PluginServerError
from devstack.postgres import Postgres
from tests.fake_kong import FakeKong
from tests.protocol.plugin_server import PluginServer
from tests.stores.own_redis import OwnRedis, running

PASSWORD, NEW = "a long and private sentence", "quite another sentence"
VICTIMS = (
    ("redis",),
    ("postgres",),
    ("auth",),
    ("token-validator",),
    ("redis", "token-validator"),
    ("redis", "auth"),
    ("redis", "postgres", "auth", "token-validator"),
)
REDIS_LOSES = ("nothing", "nothing", "the last of it", "all of it")
COMES_BACK_WITHIN = 60.0


@dataclass
class Report:
    rounds: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Process:
    """One that is started with the same command again and again."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=os.environ | self._environment, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


class KeptPostgres:
    """A PostgreSQL as `make up` runs it."""

    def __init__(self, directory: Path) -> None:
        self.server = Postgres(directory / "postgres", throwaway.free_port(), "secret")
        self.server.prepare()
        self._log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = self.server.command().start(log)

    def kill(self) -> None:
        """The whole of it: its postmaster alone would leave its children to the next one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def ready(self) -> None:
        while not await asyncio.to_thread(self.server.ready):
            await asyncio.sleep(0.05)


class Rounds:
    def __init__(
        self,
        redis: OwnRedis,
        postgres: KeptPostgres,
        auth: Process,
        gateway: PluginServer,
        url: str,
        seed: int,
    ) -> None:
        self._redis, self._postgres, self._auth, self._gateway = redis, postgres, auth, gateway
        self._url = url
        self._random = random.Random(seed)
        self._accounts = 0
        self.report = Report()

    async def run(self, count: int) -> Report:
        async with aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(total=20)) as self._http:
            await self._until_ready()
            for _ in range(count):
                await self._round()
                self.report.rounds += 1
        return self.report

    async def _round(self) -> None:
        visitor, changer = await self._registered(), await self._registered()
        leaving, staying = await self._signed_in(visitor), await self._signed_in(visitor)
        here, elsewhere = await self._signed_in(changer), await self._signed_in(changer)
        await self._until_accepted(staying)
        newcomer = self._address()
        written = self._redis.log.stat().st_size
        acts = {
            "logout": self._call("logout", {}, leaving),
            "refresh": self._call("refresh", {"refresh_token": staying["refresh_token"]}),
            "change": self._call(
                "password/change", {"current_password": PASSWORD, "new_password": NEW}, here
            ),
            "register": self._call("register", {"email": newcomer, "password": PASSWORD, "name": "Kim"}),
        }
        doing = {name: asyncio.create_task(act) for name, act in acts.items()}
        wanted = self._random.randint(1, len(doing))  # the kill comes after so many answers
        while sum(task.done() for task in doing.values()) < wanted:
            await asyncio.wait(
                [task for task in doing.values() if not task.done()], return_when=asyncio.FIRST_COMPLETED
            )
        victims = self._random.choice(VICTIMS)
        await self._kill(victims, written)
        await self._start(victims)
        answers = {name: await task for name, task in doing.items()}
        done = {name for name, answer in answers.items() if answer is not None and answer[0] < 300}
        self.report.answered.update(done)

        gone = [("logout", leaving)] if "logout" in done else []
        gone += [("change", elsewhere)] if "change" in done else []
        await self._until_ready()
        await self._until_accepted(staying, never=gone)
        for name, tokens in gone:
            self._expect(await self._judged(tokens) == 401, f"{name}: the gateway accepts an ended session")
            self._expect(await self._status("verify", None, tokens) == 401, f"{name}: verify accepts it")
            refresh = {"refresh_token": tokens["refresh_token"]}
            self._expect(await self._status("refresh", refresh) == 401, f"{name}: it is refreshed")
        if "refresh" in done:
            answer = answers["refresh"]
            assert answer is not None
            refresh = {"refresh_token": answer[1]["refresh_token"]}
            self._expect(await self._status("refresh", refresh) == 200, "refresh: its successor is refused")
        if "change" in done:
            former = {"email": changer, "password": PASSWORD}
            self._expect(await self._status("login", former) == 401, "change: the former password works")
            new = former | {"password": NEW}
            self._expect(await self._status("login", new) == 200, "change: the new password does not work")
        if "register" in done:
            known = {"email": newcomer, "password": PASSWORD}
            self._expect(await self._status("login", known) == 200, "register: there is no account")

    def _expect(self, held: bool, otherwise: str) -> None:
        if not held:
            self.report.wrong.append(f"round {self.report.rounds}: {otherwise}")

    async def _kill(self, victims: tuple[str, ...], written: int) -> None:
        self.report.killed.update(victims)
        if "redis" in victims:
            self._redis.kill()
            lost = self._random.choice(REDIS_LOSES)
            self.report.lost[lost] += 1
            if lost == "the last of it":
                self._redis.lose_the_end(written)
            elif lost == "all of it":
                self._redis.lose_everything()
        if "token-validator" in victims:
            await self._gateway.kill()
        if "auth" in victims:
            self._auth.kill()
        if "postgres" in victims:
            self._postgres.kill()

    async def _start(self, victims: tuple[str, ...]) -> None:
        if "postgres" in victims:
            self._postgres.start()
            await self._postgres.ready()
        if "redis" in victims:
            await asyncio.to_thread(self._redis.start)
        if "auth" in victims:
            self._auth.start()
        if "token-validator" in victims:
            await self._gateway.start()

    async def _until_ready(self) -> None:
        async with asyncio.timeout(COMES_BACK_WITHIN):
            while True:
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with self._http.get("/health/ready") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    async def _until_accepted(
        self, tokens: dict[str, Any], never: list[tuple[str, dict[str, Any]]] | None = None
    ) -> None:
        """Until the gateway is back for somebody whose session lives; not for a moment before is another accepted."""
        async with asyncio.timeout(COMES_BACK_WITHIN):
            while True:
                for name, ended in never or ():
                    self._expect(
                        await self._judged(ended) is not None, f"{name}: accepted while the gateway came back"
                    )
                if await self._judged(tokens) is None:
                    return
                await asyncio.sleep(0.01)

    async def _judged(self, tokens: dict[str, Any]) -> int | None:
        """The gateway's status for a request with this token; None where it goes on to a service."""
        kong = FakeKong(headers={"authorization": f"Bearer {tokens['access_token']}"})
        try:
            answer = await self._gateway.run(kong, "access")
        except (PluginServerError, OSError):
            return 500
        return answer.status if answer else None

    async def _call(
        self, path: str, body: dict[str, str] | None, tokens: dict[str, Any] | None = None
    ) -> tuple[int, Any] | None:
        """Status and body, or None where there was no answer."""
        headers = {"Authorization": f"Bearer {tokens['access_token']}"} if tokens else {}
        method = "GET" if body is None else "POST"
        try:
            async with self._http.request(method, f"/api/auth/{path}", json=body, headers=headers) as answer:
                return answer.status, await answer.json() if answer.status in {200, 201} else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _status(self, path: str, body: dict[str, str] | None, tokens: Any = None) -> int | None:
        """Of a call that is repeated while a part is not back yet."""
        async with asyncio.timeout(COMES_BACK_WITHIN):
            while (answer := await self._call(path, body, tokens)) is None or answer[0] >= 500:
                await asyncio.sleep(0.05)
        return answer[0]

    def _address(self) -> str:
        self._accounts += 1
        return f"someone{self._accounts}@example.com"

    async def _registered(self) -> str:
        email = self._address()
        body = {"email": email, "password": PASSWORD, "name": "Kim"}
        assert await self._status("register", body) == 201
        return email

    async def _signed_in(self, email: str) -> dict[str, Any]:
        async with asyncio.timeout(COMES_BACK_WITHIN):
            while True:
                answer = await self._call("login", {"email": email, "password": PASSWORD})
                if answer is not None and answer[0] == 200:
                    return dict(answer[1])
                await asyncio.sleep(0.05)


@asynccontextmanager
async def house(seed: int) -> AsyncIterator[Rounds]:
    port = throwaway.free_port()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(throwaway.temporary_directory())
        redis = stack.enter_context(running(keeps=True))
        postgres = KeptPostgres(directory)
        stack.callback(unprivileged.discard, postgres.server.directory)
        stack.callback(postgres.kill)
        postgres.start()
        await postgres.ready()
        postgres.server.ensure_database("auth")
        environment = {
            "AUTH_PORT": str(port),
            "TOKEN_ISSUER": "https://auth.test",
            "TOKEN_AUDIENCE": "tests",
            "AUTH_DATABASE_URL": postgres.server.url("auth"),
            "REDIS_URL": redis.url,
            "MEMBER_URL": "http://127.0.0.1:9",
            "INTERNAL_API_KEY": "internal-key-of-the-tests",
            "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
            "ARGON2_M": "8192",
            "ARGON2_T": "1",
            "MAIL_URL": f"file://{directory}/mail",
            "LOGIN_FREE_FAILURES_PER_ADDRESS": "100000",
            "REGISTRATIONS_FREE_PER_ADDRESS": "100000",
        }
        auth = Process([sys.executable, "-m", "services.auth"], environment, directory / "auth.log")
        stack.callback(auth.kill)
        auth.start()
        own = {
            "issuer": "https://auth.test",
            "audience": "tests",
            "jwks_url": f"{url}/.well-known/jwks.json",
            "redis_url": redis.url,
        }
        gateway = PluginServer("token-validator", directory / "plugin.socket", own)
        stack.push_async_callback(gateway.stop)
        await gateway.start()
        writer = Process(
            [sys.executable, "-c", _WRITER, str(directory / "noise")], {}, directory / "noise.log"
        )
        stack.callback(writer.kill)
        writer.start()
        yield Rounds(redis, postgres, auth, gateway, url, seed)


_WRITER = """
import os, sys
block = os.urandom(1 << 20)
while True:
    with open(sys.argv[1], "wb") as file:
        for _ in range(16):
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
"""
