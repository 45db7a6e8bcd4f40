"""What the shopkeeper's search box finds, and who is said to have done what."""

from typing import Any
from uuid import UUID

import pytest

from frontend_proxy.pages.fulfilment import history
from frontend_proxy.pages.fulfilment.searching import LONGEST_NAME, Search, search

ID = UUID("7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", Search(query={})),
        (" 100023 ", Search(query={"number": "100023"})),
        ("#100023", Search(query={"number": "100023"})),
        ("No. 100023", Search(query={"number": "100023"})),
        ("minji@example.com", Search(query={"email": "minji@example.com"})),
        (str(ID), Search(id=ID)),
        (f"https://shop.example/orders/{str(ID).upper()}?token=x", Search(id=ID)),
        ("0", Search()),
        ("1" * 19, Search(query={"recipient": "1" * 19})),
        ("١٢٣", Search(query={"recipient": "١٢٣"})),
        (" 민지 ", Search(query={"recipient": "민지"})),
        ("민", Search()),
        ("a" * LONGEST_NAME, Search(query={"recipient": "a" * LONGEST_NAME})),
        ("a" * (LONGEST_NAME + 1), Search()),
    ],
)
def test_an_order_is_found_by_number_address_name_or_id(words: str, found: Search) -> None:
    assert search(words) == found


def event(actor: str, name: str = "x") -> dict[str, Any]:
    return {"at": "2026-03-01T09:00:00Z", "event": name, "state": "paid", "actor": actor, "note": ""}


def test_each_deed_has_its_doer_the_latest_first() -> None:
    order = {"owner": "the-owner"}
    timeline = {
        "events": [
            event("", "placed"),
            event(""),
            event("the-owner"),
            event("admin-1"),
            event("admin-2-gone"),
        ],
        "refunds": [{"actor": "admin-3"}, {"actor": "admin-1"}],
    }
    assert history.people(order, timeline) == ["admin-1", "admin-2-gone", "admin-3"]
    told = history.deeds(order, timeline, {"admin-1": "Kim"})
    assert [(deed.by, deed.name) for deed in told] == [
        ("unknown", "admin-2-"),
        ("person", "Kim"),
        ("shopper", ""),
        ("house", ""),
        ("shopper", ""),
    ]


def test_of_many_doers_only_some_are_asked_for_by_name() -> None:
    timeline = {"events": [event(f"admin-{number}") for number in range(50)], "refunds": []}
    assert len(history.people({"owner": "o"}, timeline)) == history.MOST_NAMES
