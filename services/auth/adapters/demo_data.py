"""The demo account, for development: known to everybody, so settings.py refuses it in production.

The member service loads a member with the same id. The password is among the commonest, which registration
would refuse; it is set here without being asked.
"""

from datetime import UTC, datetime
from uuid import UUID

from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.application.ports import Passwords
from services.auth.domain.accounts import Account

ACCOUNT = UUID("00000000-0000-4000-8000-000000000001")
EMAIL = "test@example.com"
PASSWORD = "password123"  # noqa: S105 - public by purpose


async def load(accounts: PostgresAccounts, hasher: Passwords) -> None:
    """Adds the account where it is missing."""
    if await accounts.by_email(EMAIL) is not None:
        return
    async with hasher.turn("localhost") as turn:
        hash_ = await turn.hash(PASSWORD)
    await accounts.add_if_absent(
        Account(
            id=ACCOUNT,
            email=EMAIL,
            name="Test Admin",
            roles=("admin", "member"),
            status="active",
            password_hash=hash_,
            email_verified=True,
            created_at=datetime.now(UTC),
        )
    )
