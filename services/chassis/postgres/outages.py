"""Tells an outage of the database, which may be over in a moment, from a fault of ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.chassis.errors import Unavailable

_log = logging.getLogger(__name__)

_OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # The driver's own confusion about a connection that was cut in the middle of an exchange.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    # Two transactions met crosswise, and this one made way: a repeat succeeds.
    asyncpg.DeadlockDetectedError,
    # A migration ran beside us: the driver has dropped its prepared statements, so that a repeat succeeds.
    asyncpg.InvalidCachedStatementError,
)


def is_outage(fault: BaseException) -> bool:
    """True where the database cannot serve now, and the request may be repeated later."""
    # InterfaceError itself tells of a connection or pool that is closed; its subclasses tell of wrong arguments.
    return isinstance(fault, _OUTAGES) or type(fault) is asyncpg.InterfaceError


@contextmanager
def outage_as_unavailable() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if not is_outage(fault):
            raise
        _log.warning("the database cannot serve", extra={"cause": repr(fault)})
        raise Unavailable("The database cannot answer at the moment.") from fault
