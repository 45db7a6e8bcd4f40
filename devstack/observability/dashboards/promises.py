"""The objectives, and how fast their budgets burn."""

from __future__ import annotations

from devstack.observability.objectives import Objectives
from devstack.observability.panels import Dashboard
from devstack.observability.queries import plot
from devstack.observability.rules import BUDGET_LEFT, FAILURES, RATIO


def promises(found: Objectives) -> Dashboard:
    windows = tuple(
        dict.fromkeys(window for rate_ in found.burn_rates for window in (rate_.short, rate_.long))
    )
    unused = "an objective that nobody has used in the window has no ratio"
    return Dashboard(
        uid="objectives",
        title="Gatehouse: objectives",
        panels=(
            plot(
                "Error budget of 30 days that is left",
                (BUDGET_LEFT, "{{objective}}"),
                unit="percentunit",
                kind="stat",
                width=24,
                empty=unused,
            ),
            plot(
                "Goals", ("objective:goal:ratio", "{{objective}}"), unit="percentunit", kind="table", width=12
            ),
            plot(
                "Failures a second",
                (FAILURES.format(window=found.windows[0]), "{{objective}}"),
                unit="ops",
                width=12,
            ),
            *(
                plot(
                    f"Burn rate over {window}",
                    (
                        f"{RATIO.format(window=window)} / on(objective) (1 - objective:goal:ratio)",
                        "{{objective}}",
                    ),
                    note="1 uses the budget up in 30 days.",
                    empty=unused,
                )
                for window in windows
            ),
        ),
    )
