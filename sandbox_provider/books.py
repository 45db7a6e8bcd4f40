"""The sandbox's one file. A request is one transaction, on the disk before it is answered."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, created INTEGER NOT NULL,
    intent TEXT, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, number);
CREATE INDEX IF NOT EXISTS object_by_intent ON object (intent) WHERE intent IS NOT NULL;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, event TEXT NOT NULL, due REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting'
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (due) WHERE state = 'waiting';
"""


class SavedAnswer(NamedTuple):
    request: str
    status: int
    body: str


class Delivery(NamedTuple):
    number: int
    event: str
    tries: int


class Books:
    """`durable=False` is for simulations, which keep nothing."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nobody awaits anything inside, so that there is only ever one."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def add(self, prefix: str, kind: str, now: float, body: Json, intent: str | None = None) -> Json:
        """A new object with an id, `object` and `created`."""
        made = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": int(now),
            "livemode": False,
        } | body
        self._connection.execute(
            "INSERT INTO object (id, kind, created, intent, body) VALUES (?, ?, ?, ?, ?)",
            (made["id"], kind, int(now), intent, json.dumps(made)),
        )
        return made

    def get(self, kind: str, id_: str) -> Json | None:
        row = self._connection.execute(
            "SELECT body FROM object WHERE id = ? AND kind = ?", (id_, kind)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def save(self, body: Json) -> None:
        self._connection.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def newest(
        self, kind: str, *, limit: int, after: str | None, since: int, until: int, intent: str | None
    ) -> list[Json]:
        """The latest first, as every list of the API; `since` and `until` are included."""
        number = 2**62
        if after is not None:
            row = self._connection.execute("SELECT number FROM object WHERE id = ?", (after,)).fetchone()
            number = row[0] if row else 0
        rows = self._connection.execute(
            "SELECT body FROM object WHERE kind = ? AND number < ? AND created BETWEEN ? AND ? "
            "AND (? IS NULL OR intent = ?) ORDER BY number DESC LIMIT ?",
            (kind, number, since, until, intent, intent, limit),
        )
        return [json.loads(body) for (body,) in rows]

    def answered(self, key: str) -> SavedAnswer | None:
        row = self._connection.execute(
            "SELECT request, status, body FROM answer WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else SavedAnswer(*row)

    def keep_answer(self, key: str, answer: SavedAnswer) -> None:
        self._connection.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", (key, *answer))

    def forget_answers(self) -> None:
        """As Stripe does after a day."""
        self._connection.execute("DELETE FROM answer")

    def announce(self, event: str, due: float) -> None:
        self._connection.execute("INSERT INTO delivery (event, due) VALUES (?, ?)", (event, due))

    def due(self, now: float) -> list[Delivery]:
        rows = self._connection.execute(
            "SELECT number, event, tries FROM delivery WHERE state = 'waiting' AND due <= ? "
            "ORDER BY due, number LIMIT 16",
            (now,),
        )
        return [Delivery(*row) for row in rows]

    def next_due(self) -> float | None:
        due: float | None = self._connection.execute(
            "SELECT min(due) FROM delivery WHERE state = 'waiting'"
        ).fetchone()[0]
        return due

    def waiting(self) -> int:
        count: int = self._connection.execute(
            "SELECT count(*) FROM delivery WHERE state = 'waiting'"
        ).fetchone()[0]
        return count

    def delivered(self, number: int, state: str = "taken") -> None:
        self._connection.execute("UPDATE delivery SET state = ? WHERE number = ?", (state, number))

    def deliver_later(self, number: int, due: float) -> None:
        self._connection.execute(
            "UPDATE delivery SET tries = tries + 1, due = ? WHERE number = ?", (due, number)
        )
