"""PromQL that dashboards repeat, and the short way to write a panel down."""

from __future__ import annotations

from devstack.observability.panels import Panel, Query

OVER = "2m"
"""Of rates: eight samples, so that a scrape that is missed shows no gap."""
MOST = 0.95
QUIET_UNTIL = "counted from the first one on"


def rate(series: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) (rate({series}[{OVER}]))"


def ratio(part: str, whole: str, *by: str) -> str:
    """Nothing where there were none at all; zero where there were, and none of the part."""
    return f"({rate(part, *by)} or 0 * {rate(whole, *by)}) / ({rate(whole, *by)} > 0)"


def quantile(share: float, histogram: str, *by: str) -> str:
    name, brace, labels = histogram.partition("{")
    return f"histogram_quantile({share:g}, {rate(f'{name}_bucket{brace}{labels}', 'le', *by)})"


def plot(title: str, *queries: tuple[str, str], **options: object) -> Panel:
    return Panel(title=title, queries=tuple(Query(*each) for each in queries), **options)  # type: ignore[arg-type]
