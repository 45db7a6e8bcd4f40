"""The committed run is of the benches as they are now."""

import msgspec
import pytest

from bench import home, idempotency, response_cache, revocation, token_validator
from bench.__main__ import BASELINE, Run
from bench.comparing import Figure

BUDGETS = {
    "idempotency, first pass": idempotency.BUDGETS["first pass"],
    "idempotency, replay": idempotency.BUDGETS["replay"],
    "cache hit": response_cache.BUDGET,
    "token-validator, warm": token_validator.BUDGET,
    "home at 500/s, p99 ms": home.BUDGET_P99_MS,
    "sign-out seen, p99 ms": revocation.BUDGET_MS,
}


def committed() -> dict[str, Figure]:
    run = msgspec.json.decode(BASELINE.read_bytes(), type=Run)
    return {figure.name: figure for figure in run.figures}


@pytest.mark.parametrize("name", BUDGETS)
def test_no_figure_is_of_a_former_method(name: str) -> None:
    """Another budget than the bench's own would tell one: it must go, until a run of now is kept."""
    figure = committed().get(name)
    assert figure is None or figure.budget == BUDGETS[name]
