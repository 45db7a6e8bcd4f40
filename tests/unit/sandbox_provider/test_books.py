"""The sandbox's books: which pages are over is found without reading all that there ever were."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox_provider import books as sandbox_books
from sandbox_provider.account import Account
from sandbox_provider.books import Books, Json

START = 1_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path / "books.sqlite3")
    yield made
    made.close()


@pytest.fixture
def announced() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def account(books: Books, clock: Clock, announced: list[tuple[str, str]]) -> Account:
    return Account(books, "https://pay.test", lambda *event: announced.append(event), clock)


def page(account: Account, lasts: float) -> Json:
    price = {"currency": "krw", "unit_amount": "1000", "product_data": {"name": "김하늘"}}
    return account.create_session(
        {
            "mode": "payment",
            "success_url": "https://shop.test",
            "line_items": {"0": {"quantity": "1", "price_data": price}},
            "expires_at": str(int(START + lasts)),
            "payment_intent_data": {"capture_method": "manual"},
        }
    )


def test_only_open_pages_whose_time_is_over_are_closed(
    account: Account, clock: Clock, announced: list[tuple[str, str]]
) -> None:
    over, later, paid = page(account, 1800), page(account, 1801), page(account, 1800)
    account.pay(paid["id"], refused=None)
    announced.clear()
    clock.now += 1800
    for _ in range(2):
        account.expire_due()
    assert [type_ for _, type_ in announced] == ["checkout.session.expired"]
    assert account.session(over["id"])["status"] == "expired"
    assert account.session(later["id"])["status"] == "open"
    assert account.session(paid["id"])["status"] == "complete"


def test_pages_whose_time_is_over_are_found_by_an_index(books: Books, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "books.sqlite3")) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sandbox_books.OPEN_UNTIL}", (1,)).fetchall()
    assert ["USING INDEX session_open" in step[3] for step in steps] == [True]


def test_what_is_kept_is_read_as_it_was(account: Account, books: Books) -> None:
    made = page(account, 1800)
    assert books.get("checkout.session", made["id"]) == made
    assert made["description"] == "김하늘"
    assert books.get("payment_intent", made["id"]) is None


def test_what_was_delivered_waits_no_longer_and_later_changes_are_on_the_disk(books: Books) -> None:
    books.announce("evt_1", START)
    (delivery,) = books.due(START)
    books.delivered(delivery.number)
    assert books.waiting() == 0
    assert books.is_durable
