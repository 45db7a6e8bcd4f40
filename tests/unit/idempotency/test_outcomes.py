"""What of an answer is kept, byte for byte, and what is not."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kong.plugins.idempotency import outcomes
from kong.plugins.idempotency.outcomes import Outcome


@given(
    st.builds(
        Outcome,
        status=st.integers(200, 499),
        headers=st.dictionaries(st.binary(), st.one_of(st.binary(), st.lists(st.binary(), min_size=2))),
        body=st.binary(max_size=4096),
    )
)
def test_every_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    assert outcomes.decode(outcomes.encode(outcome)) == outcome


def test_a_long_body_that_compresses_is_kept_small() -> None:
    outcome = Outcome(status=200, body=b'{"name": "Ada"}' * 1000)
    assert len(outcomes.encode(outcome)) < 300
    assert outcomes.decode(outcomes.encode(outcome)) == outcome


def test_a_body_that_does_not_compress_is_kept_as_it_is() -> None:
    outcome = Outcome(status=200, body=os.urandom(4096))
    assert len(outcomes.encode(outcome)) < 4096 + 32
    assert outcomes.decode(outcomes.encode(outcome)) == outcome


def test_a_body_that_upstream_compressed_is_not_touched() -> None:
    packed = gzip.compress(b"x" * 5_000_000)
    outcome = Outcome(status=200, headers={b"content-encoding": b"gzip"}, body=packed)
    assert packed in outcomes.encode(outcome)


@pytest.mark.parametrize("encoded", [b"", b"\xc1", b"\x91\xa3abc", b"\x95\xcc\xc8\x80\xc4\x02hi\xa0\xc3"])
def test_what_is_no_outcome_is_told(encoded: bytes) -> None:
    with pytest.raises(outcomes.UndecodableError):
        outcomes.decode(encoded)


def test_headers_of_one_connection_one_moment_or_kong_are_not_replayed() -> None:
    headers = {
        "connection": "keep-alive, X-Hop",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        "content-length": "5",
        "x-hop": "1",
        "date": "Sun, 22 Nov 2026 06:58:50 GMT",
        "age": "7",
        "set-cookie": ["a=1", "b=2"],
        "server": "uvicorn",
        "via": "1.1 kong/3.9.3",
        "x-kong-upstream-latency": "3",
        "x-request-id": "r1",
        "ratelimit-remaining": "3",
        "x-ratelimit-remaining-minute": "3",
        "content-type": "application/json",
        "link": ["</a>; rel=next", "</b>; rel=prev"],
    }
    assert outcomes.replayable(headers, ()) == {
        b"content-type": b"application/json",
        b"link": [b"</a>; rel=next", b"</b>; rel=prev"],
    }


def test_a_list_of_headers_narrows_what_is_kept_and_never_widens_it() -> None:
    headers = {"content-type": "text/plain", "etag": '"1"', "set-cookie": "a=1"}
    assert outcomes.replayable(headers, {"etag", "set-cookie"}) == {b"etag": b'"1"'}


def test_header_bytes_that_are_no_text_come_back() -> None:
    headers = {"content-disposition": "attachment; filename=caf\udce9.txt", "x-two": ["\udcff", "b"]}
    outcome = Outcome(status=200, headers=outcomes.replayable(headers, ()))
    assert outcomes.replayed(outcomes.decode(outcomes.encode(outcome))) == headers
