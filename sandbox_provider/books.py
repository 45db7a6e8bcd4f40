"""The sandbox's one file. A request is one transaction, on the disk before it is answered."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

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
CREATE INDEX IF NOT EXISTS session_open ON object (json_extract(body, '$.expires_at'))
WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open';
"""
OPEN_UNTIL = (
    "SELECT body FROM object INDEXED BY session_open "
    "WHERE kind = 'checkout.session' AND json_extract(body, '$.status') = 'open' "
    "AND json_extract(body, '$.expires_at') <= ? ORDER BY json_extract(body, '$.expires_at')"
)
"""As the index has it, word for word."""
_FULL = 2
"""SQLite's number of the level `FULL`."""


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
        self._synchronous = "FULL" if durable else "OFF"
        self._connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    @property
    def is_durable(self) -> bool:
        """Whether the next transaction is on the disk when it ends."""
        level: int = self._connection.execute("PRAGMA synchronous").fetchone()[0]
        return level >= _FULL

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
            (made["id"], kind, int(now), intent, _text(made)),
        )
        return made

    def get(self, kind: str, id_: str) -> Json | None:
        text = self.text(kind, id_)
        return None if text is None else _read(text)

    def text(self, kind: str, id_: str) -> str | None:
        """As JSON."""
        row = self._connection.execute(
            "SELECT body FROM object WHERE id = ? AND kind = ?", (id_, kind)
        ).fetchone()
        return None if row is None else str(row[0])

    def save(self, body: Json) -> None:
        self._connection.execute("UPDATE object SET body = ? WHERE id = ?", (_text(body), body["id"]))

    def open_until(self, moment: int) -> list[Json]:
        """The pages whose time is over by then, though they were not closed yet."""
        return [_read(body) for (body,) in self._connection.execute(OPEN_UNTIL, (moment,))]

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
        return [_read(body) for (body,) in rows]

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
        """Not waiting for the disk: if the machine dies, the event is delivered again."""
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            self._connection.execute("UPDATE delivery SET state = ? WHERE number = ?", (state, number))
        finally:
            self._connection.execute(f"PRAGMA synchronous = {self._synchronous}")

    def deliver_later(self, number: int, due: float) -> None:
        self._connection.execute(
            "UPDATE delivery SET tries = tries + 1, due = ? WHERE number = ?", (due, number)
        )


def _text(body: Json) -> str:
    return msgspec.json.encode(body).decode()


def _read(text: str) -> Json:
    body: Json = msgspec.json.decode(text)
    return body
