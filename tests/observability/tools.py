"""Debian's Prometheus and Alertmanager, where they are installed."""

import shutil

import pytest

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="no Prometheus on this machine (Debian: apt-get install prometheus)",
)
needs_alertmanager = pytest.mark.skipif(
    shutil.which("prometheus-alertmanager") is None or shutil.which("amtool") is None,
    reason="no Alertmanager on this machine (Debian: apt-get install prometheus-alertmanager)",
)
