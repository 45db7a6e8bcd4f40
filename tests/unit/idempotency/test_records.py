"""The table of the design, §6: what a keyed request gets, and what becomes of its key."""

import pytest

from kong.plugins.idempotency import records
from kong.plugins.idempotency.config import Config
from kong.plugins.idempotency.outcomes import HeaderValue, Outcome
from kong.plugins.idempotency.records import InProgress, Mismatch, Replay, StatusRule, Unreplayable

PRINT, OTHER = b"f" * 32, b"g" * 32
DEFAULT_STATUSES = Config().store_statuses
CREATED = Outcome(status=201, headers={b"location": b"/api/members/1"}, body=b'{"id":1}')


def test_a_finished_request_is_replayed() -> None:
    assert records.read(records.completion(PRINT, CREATED), PRINT, 3600) == Replay(CREATED)


def test_a_request_under_way_is_in_progress_for_the_rest_of_its_lease() -> None:
    assert records.read(records.reservation(PRINT, "owner"), PRINT, 12.5) == InProgress(12.5)


@pytest.mark.parametrize("record", [records.completion(PRINT, CREATED), records.reservation(PRINT, "owner")])
def test_another_request_with_the_same_key_is_a_mismatch_finished_or_not(record: bytes) -> None:
    assert records.read(record, OTHER, 10) == Mismatch()


def test_an_outcome_without_its_body_says_why() -> None:
    record = records.completion(PRINT, Outcome(status=200, unkept="it was too large"))
    assert records.read(record, PRINT, 10) == Unreplayable("it was too large")


@pytest.mark.parametrize(
    "record", [b"", b"?", b"2D" + PRINT, b"1D" + PRINT, b"1D" + PRINT + b"\xc1", b"1D" + PRINT[:-1]]
)
def test_a_record_that_cannot_be_read_never_lets_the_request_run_again(record: bytes) -> None:
    assert isinstance(records.read(record, PRINT, 10), Unreplayable)


def test_the_same_request_writes_the_same_reservation() -> None:
    assert records.reservation(PRINT, "a") == records.reservation(PRINT, "a")
    assert records.reservation(PRINT, "a") != records.reservation(PRINT, "b")


def conclude(
    status: int = 200, headers: dict[str, HeaderValue] | None = None, body: bytes = b"x", max_body: int = 1024
) -> Outcome | None:
    return records.conclude(
        method="POST",
        status=status,
        headers=headers or {},
        body=body,
        kept=StatusRule(DEFAULT_STATUSES),
        stored_headers=(),
        max_body=max_body,
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 301, 303, 304, 400, 404, 410, 412, 422, 499])
def test_these_statuses_are_kept(status: int) -> None:
    outcome = conclude(status)
    assert outcome is not None
    assert outcome.status == status


@pytest.mark.parametrize("status", [401, 403, 408, 409, 425, 429, 500, 502, 503, 504, 599, 101])
def test_these_statuses_free_the_key(status: int) -> None:
    assert conclude(status) is None


def test_an_answer_of_max_body_bytes_is_kept_and_one_more_is_not() -> None:
    kept, unkept = conclude(body=b"x" * 1024), conclude(body=b"x" * 1025)
    assert kept is not None
    assert kept.body == b"x" * 1024
    assert unkept == Outcome(status=200, unkept="it was larger than 1024 bytes")


@pytest.mark.parametrize("value", ["no-store", "private, No-Store", ["max-age=0", "no-store"]])
def test_an_answer_that_forbids_storing_is_not_kept(value: HeaderValue) -> None:
    outcome = conclude(headers={"cache-control": value})
    assert outcome is not None
    assert outcome.body == b""
    assert "no-store" in outcome.unkept


@pytest.mark.parametrize("value", ["no-cache", 'private="no-store-me"', "max-age=60"])
def test_other_cache_control_is_no_obstacle(value: str) -> None:
    outcome = conclude(headers={"cache-control": value})
    assert outcome is not None
    assert not outcome.unkept


def test_an_answer_whose_headers_kong_may_have_cut_is_not_kept() -> None:
    outcome = conclude(headers={"x-many": [str(number) for number in range(100)]})
    assert outcome is not None
    assert "headers" in outcome.unkept


def test_an_exclusion_wins_over_a_pattern() -> None:
    rule = StatusRule(["!404", "4xx", "201", "41x", "!411"])
    assert 400 in rule
    assert 410 in rule
    assert 201 in rule
    assert not {404, 411, 200, 500} & {status for status in range(100, 600) if status in rule}
