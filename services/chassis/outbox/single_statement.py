"""A message as part of the statement of its change, where the change is one statement: it needs no transaction around
it and no round trip of its own. Wherever it is more than one, `put` is the way.
"""

from services.chassis.postgres import Database


def insertion(
    source: str,
    *,
    aggregate: str,
    target: str,
    method: str,
    path: str,
    body: str,
    request_id: str,
    traceparent: str,
) -> str:
    """SQL that writes a message, due at once, for each row of `source`: for a WITH of the statement.

    All are expressions of SQL: parameters, or columns of `source`, and never what somebody sent.
    """
    return (
        "INSERT INTO outbox (aggregate, target, method, path, body, request_id, next_attempt_at, traceparent) "  # noqa: S608
        f"SELECT {aggregate}, {target}, {method}, {path}, {body}, {request_id}, clock_timestamp(), {traceparent} "
        f"FROM {source}"
    )


def written(database: Database, target: str) -> None:
    """Has the delivery look for what such a statement has written: at once, or with the transaction at hand."""
    wake = database.message_written[target].set
    if database.engine.current_transaction.get() is None:
        wake()
    else:
        database.after_commit(wake)
