"""What a span says of a statement."""

import pytest

from services.chassis.postgres.statements import LONGEST, described


@pytest.mark.parametrize(
    ("query", "name", "text"),
    [
        ("SELECT 1", "SELECT", "SELECT ?"),
        ("BEGIN;", "BEGIN", "BEGIN;"),
        (
            "SELECT id FROM orders\n   WHERE email = 'kim@example.com' AND n > 17.5 AND v1 = $1 LIMIT 20",
            "SELECT orders",
            "SELECT id FROM orders WHERE email = ? AND n > ? AND v1 = $1 LIMIT ?",
        ),
        ("INSERT INTO outbox (a) VALUES ('it''s kim')", "INSERT outbox", "INSERT INTO outbox (a) VALUES (?)"),
        ('update "cart" set note = $tag$kim$tag$', "UPDATE cart", 'update "cart" set note = ?'),
        (r"SELECT E'kim\'s, 5'", "SELECT", "SELECT ?"),
        ("-- to kim@example.com\nDELETE FROM a /* 7 */", "DELETE a", "DELETE FROM a"),
        ("", "EMPTY", ""),
    ],
)
def test_a_statement_is_told_without_values(query: str, name: str, text: str) -> None:
    assert described(query)[::2] == (name, text)


def test_a_long_statement_is_cut_short() -> None:
    assert len(described("SELECT " + "a, " * LONGEST).text) == LONGEST
