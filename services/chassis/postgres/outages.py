"""Tells an outage of the database, which may be over in a moment, from a fault of ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.chassis.errors import Unavailable

_log = logging.getLogger(__name__)

_PASSES = (
    OSError,  # TLS that fails (ssl.SSLError) and timeouts among them
    asyncpg.PostgresConnectionError,
    # The driver's own confusion about a connection that was cut in the middle of an exchange.
    asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError,
    # Shutdown, start, recovery, a statement that took too long.
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # A standby now, after a failover.
    asyncpg.ReadOnlySQLTransactionError,
    # Two transactions met crosswise, and this one made way: a repeat succeeds.
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    # A migration ran beside us: the driver has dropped its prepared statements, so that a repeat succeeds.
    asyncpg.InvalidCachedStatementError,
)
_OPERATOR = (
    # No disk, no memory.
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    # The password or role is not what the server has, or not yet.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidCatalogNameError,
    # "The database is not currently accepting connections": somebody has closed it.
    asyncpg.ObjectNotInPrerequisiteStateError,
)


def passes(fault: BaseException) -> bool:
    """True for an outage that ends without anybody's doing, so that a start may wait for it."""
    # InterfaceError itself tells of a connection or pool that is closed; its subclasses tell of wrong arguments.
    return isinstance(fault, _PASSES) or type(fault) is asyncpg.InterfaceError


def is_outage(fault: BaseException) -> bool:
    """True where the database cannot serve now, and the request may be repeated later."""
    return passes(fault) or isinstance(fault, _OPERATOR)


@contextmanager
def outage_as_unavailable() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if not is_outage(fault):
            raise
        level, retry_after = (logging.WARNING, 1) if passes(fault) else (logging.ERROR, 5)
        _log.log(level, "the database cannot serve", extra={"cause": repr(fault)})
        raise Unavailable("The database cannot answer at the moment.", retry_after=retry_after) from fault
