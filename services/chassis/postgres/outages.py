"""Tells an outage of the database, which may be over in a moment, from a fault of ours."""

import logging
from contextlib import AbstractContextManager

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


class _OutageAsUnavailable:
    # A class, as it is around every statement: a generator's context costs four times as much.
    def __enter__(self) -> None: ...

    def __exit__(self, _: object, fault: BaseException | None, __: object) -> None:
        if fault is None or not isinstance(fault, Exception) or not is_outage(fault):
            return
        level, retry_after = (logging.WARNING, 1) if passes(fault) else (logging.ERROR, 5)
        _log.log(level, "the database cannot serve", extra={"cause": repr(fault)})
        raise Unavailable("The database cannot answer at the moment.", retry_after=retry_after) from fault


_CONTEXT = _OutageAsUnavailable()


def outage_as_unavailable() -> AbstractContextManager[None]:
    """Raises Unavailable for an outage inside; every other error comes through."""
    return _CONTEXT
