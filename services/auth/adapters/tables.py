"""auth's tables. The migrations in `piccolo_migrations/` make them; these classes query them."""

from piccolo.columns import UUID, Array, Boolean, Bytea, Text, Timestamptz
from piccolo.table import Table
from prometheus_client import CollectorRegistry

from services.chassis.postgres import Database


class AccountRow(Table, tablename="account"):
    id = UUID(primary_key=True, default=None)
    email = Text(unique=True)
    name = Text()
    roles = Array(base_column=Text())
    status = Text()
    password_hash = Text(secret=True)
    email_verified = Boolean()
    pending_email = Text(null=True, default=None)
    created_at = Timestamptz()


class SigningKeyRow(Table, tablename="signing_key"):
    """`public` is the JWK as JSON; `sealed_private` the private one, sealed with AUTH_KEY_ENCRYPTION_KEY."""

    kid = Text(primary_key=True, default=None)
    public = Text()
    sealed_private = Bytea(secret=True)
    created_at = Timestamptz()
    signs_from = Timestamptz()


def bound(
    url: str,
    *,
    pool_max: int = 10,
    statement_timeout: float = 5.0,
    registry: CollectorRegistry | None = None,
) -> Database:
    """The database at `url`, with these tables bound to it."""
    database = Database(
        url, application="auth", pool_max=pool_max, statement_timeout=statement_timeout, registry=registry
    )
    database.bind(AccountRow, SigningKeyRow)
    return database
