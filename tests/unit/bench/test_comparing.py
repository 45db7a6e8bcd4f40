"""What counts as slower between two runs of the benches."""

import json
from pathlib import Path

import pytest

from bench.comparing import Figure, better, middle, regressions, table
from bench.figures import FILE, figure


def cpu(value: float, yardstick: float = 100.0) -> Figure:
    return Figure("a hop", value, "cpu", budget=200, yardstick=yardstick)


@pytest.mark.parametrize(
    ("now", "worse"),
    [(cpu(116), 1.16), (cpu(114), None), (cpu(80), None), (cpu(200, yardstick=200), None)],
    ids=["slower", "noise", "faster", "a slower machine"],
)
def test_cpu_is_compared_by_the_yardstick_beside_it(now: Figure, worse: float | None) -> None:
    found = regressions({"a hop": now}, {"a hop": cpu(100)})
    assert found == ({} if worse is None else {"a hop": pytest.approx(worse)})


def test_of_a_ratio_that_should_be_high_less_is_worse() -> None:
    before = Figure("link", 4.0, "ratio", at_least=True)
    assert regressions({"link": Figure("link", 3.0, "ratio", at_least=True)}, {"link": before})
    assert not regressions({"link": Figure("link", 5.0, "ratio", at_least=True)}, {"link": before})


def test_times_by_the_clock_and_new_figures_are_shown_and_not_compared() -> None:
    before = {"p99": Figure("p99", 1.0, "clock")}
    assert not regressions({"p99": Figure("p99", 9.0, "clock"), "new": cpu(900)}, before)


def test_the_better_of_two_measurements_counts() -> None:
    assert better(cpu(130), cpu(110)) == cpu(110)
    assert better(cpu(130, yardstick=200), cpu(110)) == cpu(130, yardstick=200)


def test_of_several_runs_the_median_counts_and_the_spread_is_shown() -> None:
    found = middle([cpu(150), cpu(90), cpu(120)])
    assert found.value == 120
    assert list(table([found], {}))[2:] == ["| a hop | 120 µs CPU (90 to 150) | 200 |  |"]
    assert middle([cpu(90)]) == cpu(90)


def test_the_table_names_what_is_missed_and_what_is_worse() -> None:
    lines = list(table([cpu(250)], {"a hop": cpu(100)}))
    assert lines[2:] == ["| a hop | 250 µs CPU | 200 **missed** | 2.50 times **worse** |"]


def test_a_bench_hands_its_figures_on_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure("alone", 1.0, "cpu")
    monkeypatch.setenv(FILE, str(tmp_path / "figures"))
    figure("with others", 2.0, "ratio", budget=3.0)
    written = json.loads((tmp_path / "figures").read_text())
    assert written == {"name": "with others", "value": 2.0, "kind": "ratio", "budget": 3.0, "at_least": False}
