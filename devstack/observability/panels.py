"""A dashboard as Grafana's provisioning reads it.

The data source is named by its uid: `${DS_PROMETHEUS}` is not resolved when a file is provisioned (grafana#10786).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

DATA_SOURCE = "prometheus"
"""The uid in deploy/observability/grafana/provisioning/datasources/."""
COLUMNS, HEIGHT = 24, 8

Unit = Literal["short", "s", "ms", "bytes", "Bps", "reqps", "ops", "percentunit", "bool_yes_no"]


class Query(msgspec.Struct, frozen=True):
    """`legend` in Grafana's notation: `{{job}}`."""

    expr: str
    legend: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """`empty` says why its queries may have no series on a stack that is well; else a test demands some of each."""

    title: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    kind: Literal["timeseries", "stat", "table"] = "timeseries"
    width: int = 8
    stacked: bool = False
    note: str = ""
    empty: str = ""


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """`choose` is a variable and the query of its values, as `("job", "label_values(up, job)")`."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    choose: tuple[str, str] | None = None


def text(dashboard: Dashboard) -> str:
    """The dashboard's file."""
    content = {
        "uid": f"gatehouse-{dashboard.uid}",
        "title": dashboard.title,
        "tags": ["gatehouse"],
        "timezone": "browser",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "graphTooltip": 1,
        "templating": {"list": [_variable(*dashboard.choose)] if dashboard.choose else []},
        "panels": _placed(dashboard.panels),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _variable(name: str, choices: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": DATA_SOURCE},
        "query": {"query": choices, "refId": "A"},
        "refresh": 2,
        "includeAll": False,
        "sort": 1,
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """From left to right, a new row where one is full."""
    placed, x, y = [], 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(panel, number, x, y))
        x += panel.width
    return placed


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": DATA_SOURCE}
    custom: dict[str, Any] = {"fillOpacity": 10, "showPoints": "never"}
    if panel.stacked:
        custom |= {"stacking": {"mode": "normal"}, "fillOpacity": 40}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": " ".join(filter(None, (panel.note, panel.empty and f"May be empty: {panel.empty}."))),
        "datasource": source,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "custom": custom if panel.kind == "timeseries" else {},
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": source,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
            }
            for place, query in enumerate(panel.queries)
        ],
    }
