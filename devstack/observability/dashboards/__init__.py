"""The dashboards, one a module. tests/observability/ runs every query of theirs on a real Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from devstack.observability.dashboards.checkout import checkout
from devstack.observability.dashboards.gateway import gateway
from devstack.observability.dashboards.overview import overview
from devstack.observability.dashboards.promises import promises
from devstack.observability.dashboards.service import service
from devstack.observability.dashboards.stores import stores
from devstack.observability.objectives import Objectives
from devstack.observability.panels import Dashboard


def dashboards(found: Objectives) -> Sequence[Dashboard]:
    return (overview(), service(), gateway(), checkout(), stores(), promises(found))
