"""What tests of the member API do all the time."""

from typing import Any
from uuid import uuid4

from httpx import AsyncClient


async def made(api: AsyncClient, admin: dict[str, str], **values: Any) -> dict[str, Any]:
    """A member without an account."""
    body = {"email": f"{uuid4().hex}@example.com", "name": "Somebody", **values}
    answer = await api.post("/api/members", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    member: dict[str, Any] = answer.json()
    return member
