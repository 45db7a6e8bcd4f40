"""What tests of auth over HTTP do all the time."""

import asyncio
import re
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from httpx import AsyncClient

from tests.waiting import WITHIN

Client = AsyncClient
DEMO = {"email": "test@example.com", "password": "password123"}
PASSWORD = "a long and private sentence"


async def sign_in(client: Client, **credentials: str) -> dict[str, Any]:
    answer = await client.post("/api/auth/login", json=DEMO | credentials)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def register(
    client: Client, email: str, password: str = PASSWORD, name: str = "Kim Minji"
) -> dict[str, Any]:
    answer = await client.post(
        "/api/auth/register", json={"email": email, "password": password, "name": name}
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def is_good(client: Client, tokens: dict[str, Any]) -> bool:
    answer = await client.get("/api/auth/verify", headers=bearer(tokens))
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


async def mailed_token(folder: Path, to: str, path: str) -> str:
    """The token of the link to `path` in the latest mail to `to`; waits for the mail."""
    give_up = time.monotonic() + WITHIN
    while time.monotonic() < give_up:
        files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        letters = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
        for letter in letters:
            found = re.search(rf"http://localhost:3000{path}\?token=(\S+)", letter.get_content())
            if letter["To"] == to and found:
                return found[1]
        await asyncio.sleep(0.02)
    raise AssertionError(f"no mail to {to} with a link to {path}")
