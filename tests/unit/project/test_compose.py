"""What compose.yaml and compose.prod.yaml promise of isolation, hardening and secrets, read in the files."""

import re
from ipaddress import IPv4Network, ip_address, ip_network
from itertools import combinations, permutations
from typing import Any

import pytest

from common.client_address import client, networks
from devstack.declaration import declaration
from tests.unit.project.compose_files import COMPOSE_FILES, environment, interpolated, load, published

DECLARED = declaration()
# Who has a reason to open a connection to whom. Anything else on a shared network is a mistake.
MAY_TALK = {*DECLARED.calls(), ("tls", "frontend_proxy"), ("tls", "kong")}
# Development's ports for this machine (deploy/loopback.py) lead to these.
MAY_TALK |= {
    ("loopback", name)
    for name in (*(p.name for p in DECLARED.of_kind("service", "aid")), "postgres", "redis", "mailbox")
}
# Who calls auth with the address of a client, and who calls the gateway so.
WAYS_TO_AUTH = (("frontend_proxy", "auth"), ("frontend_proxy", "kong"), ("kong", "auth"), ("tls", "kong"))
# Two clients of one server see each other on the network that they share with it.
SERVICES = [process.name for process in DECLARED.services]
SEE_EACH_OTHER = {
    ("idempotency", "token-validator"),
    ("idempotency", "response-cache"),
    ("response-cache", "token-validator"),
    ("postgres", "redis"),
    ("loopback", "kong"),
} | set(permutations(SERVICES, 2))


def test_the_calls_that_matter_most_are_declared_as_they_were_decided() -> None:
    """Who reaches a store or auth from outside the services, written down once more, by hand."""
    outside = {pair for pair in DECLARED.calls() if not set(pair) <= {*SERVICES, "kong", "postgres"}}
    assert outside == {
        *((service, "redis") for service in SERVICES),
        ("token-validator", "auth"),
        ("token-validator", "redis"),
        ("idempotency", "redis"),
        ("response-cache", "redis"),
        ("frontend_proxy", "auth"),
        ("frontend_proxy", "kong"),
        # Of development alone.
        ("payment", "sandbox"),
        ("sandbox", "kong"),
    }
    assert {caller for caller, callee in DECLARED.calls() if callee == "postgres"} <= set(SERVICES)


@pytest.fixture(params=COMPOSE_FILES)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_development_opens_the_proxy_and_the_gateway_alone() -> None:
    outside = {
        (name, port)
        for name, service in load("compose.yaml")["services"].items()
        for address, port in published(service)
        if address != "127.0.0.1"
    }
    assert outside == {("frontend_proxy", "3000"), ("kong", "8000")}


def test_production_opens_nothing_but_tls_on_an_address_that_can_be_chosen() -> None:
    services = load("compose.prod.yaml")["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["tls"]
    assert [interpolated(port, PUBLISH_ADDRESS="192.0.2.1") for port in services["tls"]["ports"]] == [
        "192.0.2.1:80:8080",
        "192.0.2.1:443:8443",
        "192.0.2.1:8443:9443",
    ]


def test_every_network_is_internal_but_the_doors_of_one_container_each_and_the_way_out(
    compose: dict[str, Any],
) -> None:
    doors = {name for name, network in compose["networks"].items() if not network.get("internal")}
    behind = {
        door: [name for name, service in compose["services"].items() if door in service["networks"]]
        for door in doors
    }
    assert behind == (
        {"tls_door": ["tls"], "outbound": [each.name for each in DECLARED.services if each.outbound]}
        if "tls" in compose["services"]
        else {"front_door": ["frontend_proxy"], "gateway_door": ["kong"], "loopback_door": ["loopback"]}
    )


def test_what_the_outside_reaches_in_production_has_no_way_out_unless_acme_needs_one() -> None:
    option = load("compose.prod.yaml")["networks"]["tls_door"]["driver_opts"]
    masquerade = option["com.docker.network.bridge.enable_ip_masquerade"]
    assert (interpolated(masquerade), interpolated(masquerade, TLS_OUTBOUND="true")) == ("false", "true")


def test_what_reaches_every_store_in_development_listens_on_its_own_door_alone() -> None:
    compose = load("compose.yaml")
    loopback = compose["services"]["loopback"]
    address = loopback["networks"]["loopback_door"]["ipv4_address"]
    assert loopback["command"][4] == address
    assert ip_address(interpolated(address)) in ip_network(interpolated(subnets(compose)["loopback_door"]))


def test_only_those_share_a_network_who_must_talk(compose: dict[str, Any]) -> None:
    services = compose["services"]
    reachable = {
        (one, other)
        for one in services
        for other in services
        if one != other and set(services[one]["networks"]) & set(services[other]["networks"])
    }
    allowed = MAY_TALK | SEE_EACH_OTHER
    assert {pair for pair in reachable if pair not in allowed and pair[::-1] not in allowed} == set()
    assert {pair for pair in MAY_TALK if set(pair) <= set(services) and pair not in reachable} == set()


def test_every_container_runs_hardened(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"] == "unless-stopped", name
        assert service["init"] is True, name


def test_nothing_starts_before_what_it_reads_at_its_start(compose: dict[str, Any]) -> None:
    def waits_for(name: str) -> set[str]:
        dependencies = compose["services"][name].get("depends_on", {})
        return {other for other, how in dependencies.items() if how["condition"] == "service_healthy"}

    # Kong reads the dumps of the plugins once; auth, member and catalog migrate their databases.
    assert waits_for("kong") == {"token-validator", "response-cache", "idempotency"}
    assert waits_for("auth") == {"postgres", "redis"}
    for process in DECLARED.stored:
        assert waits_for(process.name) >= {"postgres"}, process.name


def test_kongs_admin_api_listens_where_no_other_container_is(compose: dict[str, Any]) -> None:
    kong = compose["services"]["kong"]
    addresses = {
        address.strip().rpartition(":")[0] for address in environment(kong)["KONG_ADMIN_LISTEN"].split(",")
    }
    named = addresses - {"127.0.0.1"}
    on = kong["networks"] if isinstance(kong["networks"], dict) else {}
    aliases = {
        alias: network for network, settings in on.items() for alias in (settings or {}).get("aliases", [])
    }
    assert all(aliases.get(name) == "gateway_door" for name in named), (
        addresses
    )  # where Kong is alone: see above
    outside = [address for address, port in published(kong) if port == "8001"]
    assert outside == (["127.0.0.1"] if named else [])


def test_kong_has_its_configuration_read_only_and_no_secret(compose: dict[str, Any]) -> None:
    kong = compose["services"]["kong"]
    assert [volume for volume in kong["volumes"] if not str(volume).endswith(":ro")] == [
        "kong_state:/var/tmp"
    ]
    assert not [
        name for name in environment(kong) if "PASSWORD" in name or "KEY" in name or name.startswith("REDIS")
    ]


def test_the_stand_in_replaces_the_program_behind_the_gateway_and_nothing_around_it() -> None:
    # Ports, networks, mounts and hardening stay those of Kong; production has no way to it.
    (name, service), *others = load("deploy/compose.stand-in.yaml")["services"].items()
    assert (name, others) == ("kong", [])
    assert set(service) == {"image", "build", "command", "stop_signal"}
    assert "stand-in" not in str(load("compose.prod.yaml"))


def test_an_object_store_is_reached_by_catalog_alone_and_its_key_is_a_file() -> None:
    overlay = load("deploy/compose.s3.yaml")
    (name, service), *others = overlay["services"].items()
    assert (name, others, service["networks"]) == ("catalog", [], ["outbound"])
    assert (
        set(service["secrets"]) == set(overlay["secrets"]) == {"aws_access_key_id", "aws_secret_access_key"}
    )
    keys = [variable for variable in environment(service) if "KEY" in variable]
    assert keys == ["AWS_ACCESS_KEY_ID_FILE", "AWS_SECRET_ACCESS_KEY_FILE"]
    called_on = load("compose.prod.yaml")["services"]["order"]["labels"]["gatehouse.called-on"]
    assert service["labels"]["gatehouse.called-on"] == called_on


def test_production_has_no_secret_in_its_environment() -> None:
    compose = load("compose.prod.yaml")
    for name, service in compose["services"].items():
        variables = environment(service)
        assert variables.get("APP_ENV") == "production" or name in {"kong", "tls"}, name
        assert "DEMO_DATA" not in variables, name
        for variable, value in variables.items():
            assert not value.startswith("development"), (name, variable)
            if any(word in variable for word in ("PASSWORD", "MAIL_URL", "API_KEY", "ENCRYPTION_KEY")):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)


def test_no_password_is_pasted_into_a_url(compose: dict[str, Any]) -> None:
    # A character of it would name another host. It travels in a variable or a file of its own (common/address.py).
    for name, service in compose["services"].items():
        for variable, value in environment(service).items():
            credentials = interpolated(value).partition("://")[2].partition("@")
            assert not (credentials[1] and ":" in credentials[0]), (name, variable)
            assert not (variable.endswith("URL") and "PASSWORD" in value), (name, variable)


def test_every_development_secret_says_that_it_is_one() -> None:
    # The mark is what production looks for when it refuses to start (services/chassis/settings.py).
    compose = load("compose.yaml")
    defaults = {
        default
        for service in compose["services"].values()
        for variable, value in environment(service).items()
        if variable.endswith(("PASSWORD", "INTERNAL_API_KEY"))
        for default in [value.partition(":-")[2].rstrip("}")]
        if default  # MAIL_PASSWORD: none
    }
    assert defaults
    assert all(default.startswith("development-") for default in defaults)


def test_production_bounds_memory_processes_and_logs() -> None:
    for name, service in load("compose.prod.yaml")["services"].items():
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name


def subnets(compose: dict[str, Any]) -> dict[str, str]:
    return {name: network["ipam"]["config"][0]["subnet"] for name, network in compose["networks"].items()}


def test_auth_believes_the_networks_of_its_proxies_and_nothing_wider(compose: dict[str, Any]) -> None:
    services = compose["services"]
    between = {
        network
        for one, other in WAYS_TO_AUTH
        if one in services
        for network in set(services[one]["networks"]) & set(services[other]["networks"])
    }
    trusted = environment(services["auth"])["AUTH_TRUSTED_PROXIES"].split(",")
    assert sorted(trusted) == sorted(subnets(compose)[network] for network in between)


def test_the_front_believes_the_network_of_tls_and_nothing_wider() -> None:
    compose = load("compose.prod.yaml")
    assert environment(compose["services"]["frontend_proxy"])["FRONTEND_TRUSTED_PROXIES"] == shared_with(
        compose, "frontend_proxy", "tls"
    )


def test_the_gateway_believes_the_front_and_tls_and_nothing_wider(compose: dict[str, Any]) -> None:
    """Else all who come through the front are one client to what it counts by address."""
    callers = [name for name in ("frontend_proxy", "tls") if name in compose["services"]]
    between = [shared_with(compose, "kong", name) for name in callers]
    kong = environment(compose["services"]["kong"])
    assert kong["KONG_TRUSTED_IPS"].split(",") == between
    # The front decides which traces are kept; tls passes on what clients say.
    assert kong["KONG_TRACE_PEERS"] == between[0]
    assert kong["KONG_TRACE_EXCEPT"] == (between[1] if len(between) > 1 else "none")


def shared_with(compose: dict[str, Any], one: str, other: str) -> str:
    """The one network that two services share."""
    services = compose["services"]
    (shared,) = set(services[one]["networks"]) & set(services[other]["networks"])
    subnet: str = subnets(compose)[shared]
    return subnet


def test_a_project_takes_one_small_network_that_docker_does_not_choose_and_another_can_have_its_own(
    compose: dict[str, Any],
) -> None:
    # Docker's own choice is a /16 or a /20 for each network, of 31 in all: two projects used them up.
    chosen_by_docker = [IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")]
    for prefix in ("10.213.77", "10.87.14"):
        ours = [IPv4Network(interpolated(s, NETWORK_PREFIX=prefix)) for s in subnets(compose).values()]
        assert all(network.subnet_of(IPv4Network(f"{prefix}.0/24")) for network in ours)
        assert not [pair for pair in combinations([*ours, *chosen_by_docker], 2) if pair[0].overlaps(pair[1])]


def test_every_network_has_room_for_a_rollout(compose: dict[str, Any]) -> None:
    # Docker's own address, and two replicas of each for as long as one takes the place of the other.
    for name, subnet in subnets(compose).items():
        members = [service for service in compose["services"].values() if name in service["networks"]]
        assert ip_network(interpolated(subnet)).num_addresses - 3 >= 2 * len(members), name


def test_the_rollout_knows_every_network_on_which_a_service_is_called(compose: dict[str, Any]) -> None:
    # deploy/rollout.py keeps a replica's name out of these while it is not ready. Stores and doors are not rolled over.
    services = compose["services"]
    for name, service in services.items():
        label = service.get("labels", {}).get("gatehouse.called-on")
        callers = {
            network
            for one, other in MAY_TALK
            if other == name and one in services and one != "loopback"
            for network in set(services[one]["networks"]) & set(service["networks"])
        }
        if label is None:
            assert name in {"postgres", "redis", "tls", "loopback", "mailbox"}
        else:
            assert callers <= set(label.split()) <= set(service["networks"]), name


def test_no_volume_is_without_a_name(compose: dict[str, Any]) -> None:
    # Each `down` would leave it behind, and each `up` make another.
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            assert len(re.sub(r"\$\{[^}]*\}", "", volume).split(":")) >= 2, (name, volume)


def test_every_log_is_bounded(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


def test_a_stop_waits_longer_than_the_server_does_for_requests_in_flight(compose: dict[str, Any]) -> None:
    for name in ("frontend_proxy", "auth", "member", "bff", "kong"):
        assert compose["services"][name]["stop_grace_period"] == "20s"


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_the_small_machine_has_room_for_every_limit(file: str) -> None:
    services, small = load(file)["services"], load("compose.small.yaml")["services"]
    limits = {
        name: str(small.get(name, {}).get("mem_limit") or service.get("mem_limit", ""))
        for name, service in services.items()
    }
    megabytes = {
        name: interpolated(limit, TLS_MEMORY="64m").removesuffix("m") for name, limit in limits.items()
    }
    assert all(number.isdigit() for number in megabytes.values()), megabytes
    assert sum(int(number) for number in megabytes.values()) < 1536


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # Through Kong, which names tls as whom it was called by; a client makes addresses up, private ones too.
        ("10.213.77.3", "198.51.100.7, 10.1.2.3, 192.168.1.20, 10.213.77.195", "192.168.1.20"),
        ("10.213.77.3", "198.51.100.7, 10.1.2.3, 10.20.30.40, 10.213.77.195", "10.20.30.40"),
        ("10.213.77.3", "203.0.113.9, 10.213.77.195", "203.0.113.9"),
        # Through the front: straight, and by Kong, which names the front.
        ("10.213.77.83", "192.168.1.20", "192.168.1.20"),
        ("10.213.77.3", "192.168.1.20, 10.213.77.67", "192.168.1.20"),
    ],
)
def test_on_every_way_in_production_auth_finds_the_client(peer: str, forwarded: str, expected: str) -> None:
    auth = load("compose.prod.yaml")["services"]["auth"]
    text = interpolated(environment(auth)["AUTH_TRUSTED_PROXIES"])
    assert client(peer, [forwarded], networks(text)).address == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "http://localhost:3000"),
        ({"FRONTEND_PORT": "33000"}, "http://localhost:33000"),
        ({"FRONTEND_PORT": "33000", "PUBLIC_ORIGIN": "https://shop.example"}, "https://shop.example"),
    ],
)
def test_mailed_links_and_the_front_end_follow_the_published_port(
    variables: dict[str, str], expected: str
) -> None:
    services = load("compose.yaml")["services"]
    for name in ("auth", "frontend_proxy"):
        assert interpolated(environment(services[name])["PUBLIC_ORIGIN"], **variables) == expected
