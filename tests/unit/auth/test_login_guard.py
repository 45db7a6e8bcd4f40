"""The guard that every hash passes: in whose line it waits."""

from services.auth.application.login_service import Client
from tests.unit.auth.parts import Parts

EMAIL, PASSWORD = "minji@example.com", "a good sentence"
THERE = Client(address="2001:db8::5:6", device="Firefox")


async def test_whatever_is_hashed_waits_in_the_line_of_its_callers_network() -> None:
    parts = Parts()
    account = await parts.register(EMAIL, PASSWORD, "Minji", THERE)
    await parts.login(EMAIL, PASSWORD, THERE)
    [session] = await parts.sessions.of(account.id, parts.now)
    await parts.password_service.change(account.id, session.id, PASSWORD, "another sentence", THERE)
    await parts.password_service.forgot(EMAIL, THERE)
    _, _, secret = parts.mail.sent[-1]
    await parts.password_service.reset(secret, "yet another one", THERE)
    assert parts.hasher.turns == ["2001:db8::/64"] * 4
