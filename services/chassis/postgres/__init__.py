"""PostgreSQL for a service: one bounded pool, a limit on every wait, and transactions that always give back."""

from services.chassis.postgres.database import Database

__all__ = ["Database"]
