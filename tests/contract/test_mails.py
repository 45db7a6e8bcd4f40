"""auth's mails when its process is killed: each is of a change that was made, and none may be lost with it."""

import asyncio
import base64
import re
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.contract.processes import Service, free_port
from tests.mail_server import mail_server

EMAIL, PASSWORD, NEW = "minji@example.com", "correct-horse-battery", "quite another sentence"
PATIENCE_S = 30


@pytest.mark.timeout(180)
async def test_mails_of_a_process_that_is_killed_arrive_from_the_next(
    redis_url: str, new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    mail_port = free_port()
    environment = {
        "TOKEN_ISSUER": "https://auth.test",
        "TOKEN_AUDIENCE": "tests",
        "AUTH_DATABASE_URL": new_postgres_database(),
        "REDIS_URL": redis_url,
        "MEMBER_URL": "http://127.0.0.1:9",
        "INTERNAL_API_KEY": "internal-key-of-the-tests",
        "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
        "ARGON2_M": "8192",
        "ARGON2_T": "1",
        "MAIL_URL": f"smtp://127.0.0.1:{mail_port}",
    }
    auth = Service("auth", free_port(), environment, tmp_path)
    try:
        async with aiohttp.ClientSession() as session:

            async def call(path: str, bearer: str = "", **body: str) -> dict[str, str]:
                headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
                url = f"{auth.url}/api/auth/{path}"
                async with session.post(url, json=body, headers=headers) as answer:
                    assert answer.status < 300, await answer.text()
                    return dict(await answer.json(content_type=None) or {})

            await auth.start()
            await call("register", email=EMAIL, password=PASSWORD, name="Kim Minji")
            token = (await call("login", email=EMAIL, password=PASSWORD))["access_token"]
            await call("password/change", token, current_password=PASSWORD, new_password=NEW)
            await call("password/forgot", email=EMAIL)
            await auth.stop(signal.SIGKILL)
            with mail_server(mail_port) as taken:
                await auth.start()
                async with asyncio.timeout(PATIENCE_S):
                    while len({letter["Subject"] for letter in taken}) < 3:
                        await asyncio.sleep(0.05)
            links = {
                letter["Subject"]: re.findall(r"token=(\S+)", letter.get_content())
                for letter in taken
                if letter["To"] == EMAIL
            }
            assert links["Your password was changed"] == []
            await call("email/verify", token=links["Confirm your e-mail address"][0])
            reset = {"token": links["Choose a new password"][0], "new_password": PASSWORD}
            await call("password/reset", **reset)
            await call("login", email=EMAIL, password=PASSWORD)
    finally:
        await auth.stop(signal.SIGKILL)
