"""The chart's NetworkPolicies allow what gatehouse.toml declares and compose.prod.yaml's networks allow, no more."""

from typing import Any

import pytest

from devstack.declaration import declaration
from tests.chart.charts import Object, of_kind, pods, render
from tests.chart.matrix import MATRIX
from tests.unit.project.compose_files import load

DEPLOYED = declaration().deployed()
IN_KONGS_POD = {plugin.name for plugin in DEPLOYED.plugins}
STORES = {"postgres", "redis"}
PORTS = {"kong": 8000, **{p.name.replace("_", "-"): p.port for p in DEPLOYED.of_kind("service", "front")}}
Pair = tuple[str, str]


def pod_of(name: str) -> str:
    return "kong" if name in IN_KONGS_POD else name.replace("_", "-")


def declared() -> set[Pair]:
    """(caller, callee) by pod, without calls inside of one pod."""
    pairs = {(pod_of(caller), pod_of(callee)) for caller, callee in DEPLOYED.calls()}
    return {(one, other) for one, other in pairs if one != other}


@pytest.fixture(params=["minimal", "production", "everything on"])
def policies(request: pytest.FixtureRequest) -> dict[str, Object]:
    files, values = MATRIX[request.param]
    return of_kind(render(values, *files), "NetworkPolicy")


def components(peers: list[Object]) -> set[str]:
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for peer in peers
        if "app.kubernetes.io/component" in peer.get("podSelector", {}).get("matchLabels", {})
    }


def rules(policy: Object, direction: str) -> list[Any]:
    return policy["spec"].get(direction) or []


def ports(rule: Object) -> set[int]:
    return {port["port"] for port in rule["ports"]}


def test_everything_is_denied_that_no_policy_allows(policies: dict[str, Object]) -> None:
    denying = policies["shop-gatehouse-default-deny"]["spec"]
    assert denying["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in denying
    assert [ports(rule) for rule in denying["egress"]] == [{53}]  # names


def test_every_pod_is_under_the_denying_policy_and_one_of_its_own() -> None:
    objects = render(MATRIX["production"][1], *MATRIX["production"][0])
    policies = of_kind(objects, "NetworkPolicy")
    denied = policies["shop-gatehouse-default-deny"]["spec"]["podSelector"]["matchLabels"]
    for name, deployment in of_kind(objects, "Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert denied.items() <= labels.items()
        assert policies[name]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    for job in of_kind(objects, "Job").values():
        labels = job["spec"]["template"]["metadata"]["labels"]
        assert denied.items() <= labels.items()
        # Not behind the Service of what it migrates.
        assert labels["app.kubernetes.io/component"] == "migration"


def test_a_migration_reaches_its_database_before_the_other_policies_are_there() -> None:
    """At the first install there are none, and at the upgrade that brings them those of the former release."""
    files, values = MATRIX["production"]
    objects = render(values, *files)
    policy = of_kind(objects, "NetworkPolicy")["shop-gatehouse-migrations"]
    weights = {
        kind: {
            int(found["metadata"]["annotations"].get("helm.sh/hook-weight", "0"))
            for found in objects
            if found["kind"] == kind
            and found["metadata"].get("annotations", {}).get("helm.sh/hook") == "pre-install,pre-upgrade"
        }
        for kind in ("NetworkPolicy", "Job")
    }
    assert weights == {"NetworkPolicy": {-1}, "Job": {0}}
    assert [ports(rule) for rule in rules(policy, "egress")] == [{53}, {5432}]
    assert rules(policy, "ingress") == []


def test_incoming_calls_are_those_that_are_declared_on_the_ports_that_are(
    policies: dict[str, Object],
) -> None:
    allowed = set()
    for callee, policy in policies.items():
        for rule in rules(policy, "ingress"):
            if callers := components(rule["from"]):
                assert ports(rule) == {PORTS[callee]}
                allowed |= {(caller, callee) for caller in callers}
    assert allowed == {pair for pair in declared() if pair[1] not in STORES}


def test_outgoing_calls_are_those_that_are_declared_on_the_ports_that_are(
    policies: dict[str, Object],
) -> None:
    allowed = set()
    for caller, policy in policies.items():
        if caller not in PORTS:
            continue
        for rule in rules(policy, "egress"):
            for callee in components(rule.get("to", [])):
                assert ports(rule) == {PORTS[callee]}
                allowed.add((caller, callee))
            if 5432 in ports(rule):
                allowed.add((caller, "postgres"))
            if 6379 in ports(rule):
                allowed.add((caller, "redis"))
    assert allowed == declared()


def test_what_may_talk_shares_a_network_of_compose_and_no_pair_more_than_there(
    policies: dict[str, Object],
) -> None:
    """Compose's networks are coarser: two clients of one server see each other there."""
    services = load("compose.prod.yaml")["services"]
    on: dict[str, set[str]] = {}
    for name, service in services.items():
        on.setdefault(pod_of(name), set()).update(service["networks"])
    together = {(one, other) for one in on for other in on if one != other and on[one] & on[other]}
    assert declared() <= together
    apart = {
        (caller, callee)
        for callee, policy in policies.items()
        for rule in rules(policy, "ingress")
        for caller in components(rule["from"])
    } - together
    assert apart == set()


def test_the_way_in_leads_to_the_front_and_to_kong_alone(policies: dict[str, Object]) -> None:
    controllers = {
        name
        for name, policy in policies.items()
        for rule in rules(policy, "ingress")
        if "gateways" in str(rule["from"])
    }
    outside = {
        name
        for name, service in load("compose.prod.yaml")["services"].items()
        if {"front_door", "gateway_door"} & set(service["networks"])
    }
    assert controllers == {pod_of(name) for name in outside - {"tls"}}


def test_the_way_out_is_of_those_who_have_one_under_compose(
    policies: dict[str, Object], request: pytest.FixtureRequest
) -> None:
    way_out = {
        name
        for name, policy in policies.items()
        for rule in rules(policy, "egress")
        if "0.0.0.0/0" in str(rule)
    }
    services = load("compose.prod.yaml")["services"]
    expected = {pod_of(name) for name, service in services.items() if "outbound" in service["networks"]}
    if request.node.callspec.params["policies"] != "minimal":
        # Its pictures are in an object store there, as with deploy/compose.s3.yaml.
        expected |= {
            name
            for name, service in load("deploy/compose.s3.yaml")["services"].items()
            if "outbound" in service["networks"]
        }
    assert way_out == expected


def test_nobody_reaches_the_metadata_of_the_cloud(policies: dict[str, Object]) -> None:
    for policy in policies.values():
        for rule in rules(policy, "egress"):
            for peer in rule.get("to", []):
                if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                    assert "169.254.0.0/16" in peer["ipBlock"]["except"]


def test_metrics_are_shown_to_those_who_are_named() -> None:
    files, values = MATRIX["everything on"]
    found = of_kind(render(values, *files), "NetworkPolicy")
    shown = {
        name: {
            port
            for rule in rules(policy, "ingress")
            if "monitoring" in str(rule["from"])
            for port in ports(rule)
        }
        for name, policy in found.items()
        if name in PORTS
    }
    assert shown["kong"] == {8100, *(plugin.port for plugin in DEPLOYED.plugins)}
    assert shown["frontend-proxy"] == {DEPLOYED.processes["frontend_proxy"].metrics_port}
    assert all(len(each) == 1 for name, each in shown.items() if name != "kong")
    assert set(pods(render(*MATRIX["minimal"][1:]))) == set(PORTS)
