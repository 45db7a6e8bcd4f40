"""A drill's judge: each thing that is over its budget is named."""

from tests.e2e.money.audit import Figure
from tests.recovery.members import Acknowledged, Load
from tests.recovery.report import Report, missing

ROW = Acknowledged("a@example.com", sent=1.0, at=1.2)


def report(*, synchronous: bool = True, rto_ms: float = 500, lost_ms: float = 0) -> Report:
    return Report(synchronous, rto_ms=rto_ms, lost_ms=lost_ms)


def test_a_drill_within_its_budgets_has_nothing_to_say() -> None:
    assert report().over_budget == []


def test_a_lost_row_is_over_the_budget_where_commits_wait_for_the_standby() -> None:
    lost = {"members": [ROW.email]}
    waiting, not_waiting = report(), report(synchronous=False, lost_ms=300)
    waiting.lost = not_waiting.lost = lost
    assert "RPO is 1 rows" in waiting.over_budget[0]
    assert not_waiting.over_budget == []
    not_waiting.lost_ms = 1001
    assert "1001 ms before the kill" in not_waiting.over_budget[0]


def test_a_slow_failover_and_books_that_differ_are_over_the_budget() -> None:
    slow = report(rto_ms=10_001)
    slow.figures = [Figure("the rule", 1, ("the difference",))]
    slow.wrong = ["the former primary took a write"]
    assert slow.over_budget == [
        "the former primary took a write",
        "RTO is 10001 ms, at most 10000",
        "the rule: the difference",
    ]


def test_what_is_gone_and_what_is_there_twice_is_named() -> None:
    other = Acknowledged("b@example.com", sent=1.0, at=1.2)
    assert missing([ROW, other], [other.email, other.email]) == ([ROW], [other.email])


def test_recovery_ends_with_the_first_write_that_was_sent_after_the_kill() -> None:
    before = Acknowledged("c@example.com", sent=1.9, at=2.1)
    after = Acknowledged("d@example.com", sent=2.05, at=2.5)
    assert Load([before, after, ROW]).first_after(2.0) == 2.5
