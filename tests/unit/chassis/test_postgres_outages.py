"""Which errors of PostgreSQL are its state, by SQLSTATE, and which are mistakes of ours."""

import ssl

import asyncpg
import pytest

from services.chassis.errors import Unavailable
from services.chassis.postgres.outages import outage_as_unavailable


def raised_for(sqlstate: str) -> Exception:
    """What asyncpg raises for an error message of the server's."""
    fault: Exception = asyncpg.PostgresError.new({"C": sqlstate, "S": "ERROR", "M": "told by the server"})
    return fault


PASSES = {
    "08006": "connection_failure",
    "08P01": "protocol_violation, which poolers say",
    "25006": "read_only_sql_transaction, after a failover",
    "25P03": "idle_in_transaction_session_timeout",
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "53300": "too_many_connections",
    "55P03": "lock_not_available",
    "57014": "query_canceled",
    "57P01": "admin_shutdown",
    "57P02": "crash_shutdown",
    "57P03": "cannot_connect_now",
    "57P05": "idle_session_timeout",
}
OPERATOR = {
    "28000": "invalid_authorization_specification",
    "28P01": "invalid_password",
    "3D000": "invalid_catalog_name",
    "42501": "insufficient_privilege",
    "53100": "disk_full",
    "53200": "out_of_memory",
    "55000": "object_not_in_prerequisite_state, of a database that accepts no connections",
    "58030": "io_error",
}
MISTAKES = {
    "22P02": "invalid_text_representation",
    "23505": "unique_violation",
    "42601": "syntax_error",
    "42P01": "undefined_table",
}


@pytest.mark.parametrize("sqlstate", [*PASSES, *OPERATOR])
def test_a_state_of_the_server_is_unavailable_for_longer_where_somebody_has_to_act(sqlstate: str) -> None:
    with pytest.raises(Unavailable) as told, outage_as_unavailable():
        raise raised_for(sqlstate)
    assert told.value.headers["Retry-After"] == ("1" if sqlstate in PASSES else "5")


@pytest.mark.parametrize("sqlstate", MISTAKES)
def test_a_mistake_of_ours_stays_one(sqlstate: str) -> None:
    with pytest.raises(asyncpg.PostgresError), outage_as_unavailable():
        raise raised_for(sqlstate)


@pytest.mark.parametrize(
    "fault", [ssl.SSLCertVerificationError("self-signed"), ConnectionResetError(), TimeoutError()]
)
def test_a_connection_that_fails_is_an_outage(fault: Exception) -> None:
    with pytest.raises(Unavailable), outage_as_unavailable():
        raise fault
