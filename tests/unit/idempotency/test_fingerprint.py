"""Requests that differ in anything that decides their effect are told apart."""

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kong.plugins.idempotency.fingerprint import fingerprint, secret, storage_key

REQUEST: dict[str, Any] = {
    "method": "POST",
    "path": "/api/members",
    "query": "notify=yes",
    "content_type": "application/json",
    "body": b'{"name":"Ada"}',
}


def test_equal_requests_have_one_fingerprint() -> None:
    assert fingerprint(**REQUEST) == fingerprint(**dict(REQUEST))
    assert len(fingerprint(**REQUEST)) == 32


def test_each_part_counts() -> None:
    others: list[dict[str, Any]] = [
        {"method": "PUT"},
        {"path": "/api/member"},
        {"query": ""},
        {"content_type": "text/plain"},
        {"body": b'{"name":"Ida"}'},
        {"content_coding": "gzip"},
        {"content_coding": "br"},
    ]
    prints = [fingerprint(**REQUEST), *(fingerprint(**REQUEST | other) for other in others)]
    assert all(one != another for one, another in combinations(prints, 2))


def test_no_coding_is_one_however_it_is_said() -> None:
    said = ("", "identity", " Identity")
    assert {fingerprint(**REQUEST, content_coding=coding) for coding in said} == {fingerprint(**REQUEST)}


@given(st.lists(st.text(max_size=6), min_size=4, max_size=4), st.integers(1, 3))
def test_moving_text_from_one_part_to_the_next_changes_the_fingerprint(parts: list[str], at: int) -> None:
    def of(method: str, path: str, query: str, content_type: str) -> bytes:
        return fingerprint(method=method, path=path, query=query, content_type=content_type, body=b"")

    moved = list(parts)
    moved[at - 1], moved[at] = parts[at - 1] + parts[at], ""
    assert (of(*parts) == of(*moved)) is (parts == moved)


def test_a_guess_at_the_body_cannot_be_tried_without_the_gateways_password() -> None:
    prints = {fingerprint(**REQUEST, key=secret(password)) for password in (None, "", "a", "b")}
    assert len(prints) == 3, "none and an empty one are the same"
    assert fingerprint(**REQUEST, key=secret("a")) == fingerprint(**REQUEST, key=secret("a"))


def test_bytes_that_are_no_text_count_too() -> None:
    assert fingerprint(**REQUEST | {"query": "q=\udce9"}) != fingerprint(**REQUEST | {"query": "q=\udce8"})


PLACE = {"caller": "u:1", "service": "member", "method": "POST", "path": "/api/members", "key": "abc"}


def test_caller_service_method_path_and_key_make_the_place() -> None:
    others = [{"caller": "u:2"}, {"service": "x"}, {"method": "PUT"}, {"path": "/api/x"}, {"key": "abd"}]
    places = [storage_key(**PLACE), *(storage_key(**PLACE | other) for other in others)]
    assert len(set(places)) == len(places)


def test_an_account_named_like_an_address_is_not_that_address() -> None:
    assert storage_key(**PLACE | {"caller": "u:10.0.0.1"}) != storage_key(**PLACE | {"caller": "a:10.0.0.1"})


def test_a_place_is_hash_tagged_and_tells_nothing_of_the_key() -> None:
    place = storage_key(**PLACE | {"key": "order-4711"})
    assert place.startswith(b"idempotency:{")
    assert place.endswith(b"}")
    assert b"4711" not in place
