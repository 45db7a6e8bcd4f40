"""A guest's session is one of PostgreSQL's as all others, and is nobody's account."""

from httpx import AsyncClient

from services.auth.app import build
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from tests.in_process import running


async def test_a_guest_is_known_by_its_token_refreshes_and_signs_out(client: AsyncClient) -> None:
    answer = await client.post("/api/auth/guest")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    pair = answer.json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    verified = (await client.get("/api/auth/verify", headers=bearer)).json()
    assert (verified["roles"], verified["sub"]) == (["guest"], verified["sid"])
    assert (await client.get("/api/auth/me", headers=bearer)).status_code == 403
    passwords = {"current_password": "some password", "new_password": "some other password"}
    changed = await client.post("/api/auth/password/change", json=passwords, headers=bearer)
    move = {"email": "guest@example.com", "current_password": "some password"}
    moved = await client.post("/api/auth/email", json=move, headers=bearer)
    assert (changed.status_code, moved.status_code) == (403, 403)

    again = await client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    bearer = {"Authorization": f"Bearer {again.json()['access_token']}"}
    assert (await client.get("/api/auth/verify", headers=bearer)).json()["sub"] == verified["sub"]
    assert (await client.post("/api/auth/logout", headers=bearer)).status_code == 204
    assert (await client.get("/api/auth/verify", headers=bearer)).status_code == 401


async def test_one_network_gets_few_guest_sessions(environment: dict[str, str]) -> None:
    narrow = {"GUESTS_FREE_PER_ADDRESS": "2", "LOGIN_WAIT_SECONDS": "60"}
    settings = chassis_settings.read(Settings, environment | narrow)
    async with running(build(settings)) as client:
        statuses = [(await client.post("/api/auth/guest")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        elsewhere = {"X-Forwarded-For": "203.0.113.9"}
        assert (await client.post("/api/auth/guest", headers=elsewhere)).status_code == 200
