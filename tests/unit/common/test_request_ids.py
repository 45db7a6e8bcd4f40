from uuid import UUID

import pytest

from common.request_ids import from_headers

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_callers_names_are_kept_and_this_hop_is_a_span_of_its_own() -> None:
    ids = from_headers(["req-1"], [PARENT])
    assert ids.request_id == "req-1"
    assert ids.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert ids.parent_id == "00f067aa0ba902b7"
    assert ids.span_id != ids.parent_id
    assert ids.traceparent == f"00-{ids.trace_id}-{ids.span_id}-01"


def test_a_request_without_names_gets_new_ones() -> None:
    first, second = from_headers([], []), from_headers([], [])
    assert first.request_id != second.request_id
    assert first.trace_id != second.trace_id


def test_an_unsampled_trace_stays_unsampled() -> None:
    assert from_headers([], [PARENT[:-1] + "0"]).traceparent.endswith("-00")


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert from_headers([], ["01" + PARENT[2:] + "-more"]).trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00-short-00f067aa0ba902b7-01",
        PARENT.upper(),
        "ff" + PARENT[2:],
        PARENT + "-more",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        PARENT + "\n",
    ],
)
def test_a_malformed_parent_starts_a_new_trace(traceparent: str) -> None:
    assert from_headers([], [traceparent]).parent_id is None


@pytest.mark.parametrize("request_id", ["", " ", "a b", "a\nb", 'a"b', "é", "a:b", "x" * 129])
def test_a_request_id_that_is_not_plain_is_replaced(request_id: str) -> None:
    assert from_headers([request_id], []).request_id != request_id


@pytest.mark.parametrize("request_id", ["x", "a.b_c-1", "x" * 128])
def test_a_plain_request_id_of_1_to_128_characters_is_kept(request_id: str) -> None:
    assert from_headers([request_id], []).request_id == request_id


def test_what_is_sent_twice_counts_as_not_sent() -> None:
    ids = from_headers(["one", "two"], [PARENT, PARENT])
    assert (ids.request_id in {"one", "two"}, ids.parent_id) == (False, None)


def test_a_call_is_told_the_ids() -> None:
    ids = from_headers(["req-1"], [PARENT])
    assert ids.headers() == {"X-Request-Id": "req-1", "traceparent": ids.traceparent}


def test_an_id_of_our_own_is_a_uuid_of_version_4_and_never_twice_the_same() -> None:
    made = [from_headers([], []) for _ in range(100)]
    assert all(str(UUID(ids.request_id)) == ids.request_id for ids in made)
    assert {UUID(ids.request_id).version for ids in made} == {4}
    assert len({(ids.request_id, ids.trace_id, ids.span_id) for ids in made}) == 100
    assert {(len(ids.trace_id), len(ids.span_id)) for ids in made} == {(32, 16)}
