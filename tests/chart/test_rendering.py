"""The chart renders, alike with Helm 3 and 4, into objects that Kubernetes knows."""

import warnings

import pytest
import yaml

from devstack.declaration import declaration
from tests.chart.charts import CHART, MINIMAL, NOWHERE, Object, helms, merged, refused, render, run
from tests.chart.matrix import MATRIX

KUBERNETES = ("1.29.0", "1.35.0")
"""The oldest with native sidecars by default, and the newest that is supported as this is written."""
FROM_OPERATORS = {"HTTPRoute", "PodMonitor", "PrometheusRule", "VerticalPodAutoscaler"}


@pytest.mark.parametrize("helm", helms() or [""])
@pytest.mark.parametrize("files", [(), ("values-small.yaml",), ("values-production.yaml",)])
def test_helm_lint_has_nothing_to_say(helm: str, files: tuple[str, ...]) -> None:
    if not helm:
        pytest.skip(NOWHERE)
    options = [word for file in files for word in ("--values", str(CHART / file))]
    # A first look at the chart, without values of one's own, passes as well.
    done = run(helm, "lint", "--strict", str(CHART), *options, "--set", "images.requireDigests=false")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", MATRIX)
def test_helm_3_and_helm_4_render_the_same(name: str) -> None:
    if len(helms()) < 2:
        pytest.skip("Helm 3 and Helm 4 are not both on this machine: make chart-tools")
    files, values = MATRIX[name]
    one, other = (render(values, *files, helm=helm) for helm in helms())
    assert one == other


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("name", MATRIX)
def test_kubernetes_knows_every_object_and_every_field(name: str, kubernetes: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    files, values = MATRIX[name]
    objects = render(values, *files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in objects:
            if found["kind"] not in FROM_OPERATORS:
                kubernetes_validate.validate(found, kubernetes, strict=True)


def test_each_deployed_process_has_its_place_and_nothing_else_is_there() -> None:
    kinds: dict[str, set[str]] = {}
    for found in render(MINIMAL):
        component = found["metadata"]["labels"]["app.kubernetes.io/component"]
        kinds.setdefault(found["kind"], set()).add(component)
    pods = {p.name.replace("_", "-") for p in declaration().of_kind("service", "front")} | {"kong"}
    assert kinds == {
        "Deployment": pods,
        "Service": pods,
        "PodDisruptionBudget": pods,
        "NetworkPolicy": pods | {"all"},
        "ConfigMap": {"kong"},
        "ServiceAccount": {"all"},
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"publicOrigin": ""}, "publicOrigin is not set"),
        ({"publicOrigin": "http://shop.example"}, "publicOrigin"),
        ({"existingSecret": ""}, "kubectl create secret generic gatehouse --from-file=secrets/"),
        ({"postgresql": {"host": ""}}, "postgresql.host is not set"),
        ({"redis": {"host": ""}}, "redis.host is not set"),
        ({"processes": {"catalog": {"existingClaim": ""}}}, "processes.catalog.existingClaim"),
        ({"processes": {"memebr": {"replicas": 2}}}, "memebr"),
        ({"settings": {"LOG_LEVLE": "DEBUG"}}, "LOG_LEVLE"),
        ({"processes": {"auth": {"memory": "512m"}}}, "memory"),
        ({"images": {"requireDigests": True}}, "has no digest"),
        # The mistake would close the way in for an address that somebody still remembers.
        ({"preStopSeconds": 5}, "preStopSeconds"),
        # Each would be a URL of something else.
        ({"postgresql": {"host": "postgres.stores:5433"}}, "host"),
        ({"redis": {"host": "fd00::1"}}, "host"),
        ({"postgresql": {"options": "?sslmode=require"}}, "options"),
        ({"autoscaling": {"enabled": True, "min": 3, "max": 2}}, "min 3 is more than max 2"),
        (
            {
                "publicOrigin": "https://쇼핑.example",
                "gateway": {"enabled": True, "parentRefs": [{"name": "a"}]},
            },
            "want a name of DNS",
        ),
    ],
)
def test_a_mistake_is_refused_and_named(wrong: Object, said: str) -> None:
    assert said in refused(merged(MINIMAL, wrong))


def test_the_values_of_each_file_are_in_the_schema() -> None:
    """Helm checks them too; this says it where no Helm is."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = yaml.safe_load((CHART / "values.schema.json").read_text(encoding="utf-8"))
    for file in sorted(CHART.glob("values*.yaml")):
        jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), schema)
