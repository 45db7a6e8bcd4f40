"""What compose.yaml and compose.prod.yaml promise of isolation, hardening and secrets, read in the files."""

from ipaddress import ip_network
from itertools import combinations
from typing import Any

import pytest

from common.client_address import client, networks
from tests.unit.project.compose_files import COMPOSE_FILES, environment, interpolated, load, published

# Who has a reason to open a connection to whom. Anything else on a shared network is a mistake.
MAY_TALK = {
    ("frontend_proxy", "kong"),
    ("frontend_proxy", "auth"),
    ("kong", "auth"),
    ("kong", "member"),
    ("kong", "bff"),
    ("bff", "auth"),
    ("bff", "member"),
    ("auth", "member"),
    ("token-validator", "auth"),
    ("token-validator", "redis"),
    ("idempotency", "redis"),
    ("auth", "redis"),
    ("auth", "postgres"),
    ("member", "postgres"),
    ("auth", "mailpit"),
}
# Development's ports for this machine (deploy/loopback.py) lead to these.
MAY_TALK |= {("loopback", name) for name in ("auth", "member", "bff", "postgres", "redis", "mailpit")}
# Who calls auth with the address of a client, and who calls the gateway so.
WAYS_TO_AUTH = (("frontend_proxy", "auth"), ("frontend_proxy", "kong"), ("kong", "auth"))
# Two clients of one server see each other on the network that they share with it.
SEE_EACH_OTHER = {("idempotency", "token-validator"), ("postgres", "redis"), ("loopback", "kong")}


@pytest.fixture(params=COMPOSE_FILES)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_only_the_proxy_and_the_gateway_are_open_to_the_outside(compose: dict[str, Any]) -> None:
    outside = {
        (name, port)
        for name, service in compose["services"].items()
        for address, port in published(service)
        if address != "127.0.0.1"
    }
    assert outside == {("frontend_proxy", "3000"), ("kong", "8000")}


def test_production_publishes_nothing_else_even_on_loopback() -> None:
    services = load("compose.prod.yaml")["services"]
    assert {name for name, service in services.items() if published(service)} == {"frontend_proxy", "kong"}


def test_every_network_is_internal_but_the_doors_of_one_container_each(compose: dict[str, Any]) -> None:
    doors = {name for name, network in compose["networks"].items() if not (network or {}).get("internal")}
    behind = {
        door: {name for name, service in compose["services"].items() if door in service["networks"]}
        for door in doors
    }
    assert all(len(containers) == 1 for containers in behind.values()), behind
    assert behind["front_door"] == {"frontend_proxy"}
    assert behind["gateway_door"] == {"kong"}


def test_what_the_outside_reaches_in_production_has_no_way_out() -> None:
    compose = load("compose.prod.yaml")
    for name in ("front_door", "gateway_door"):
        options = compose["networks"][name]["driver_opts"]
        assert options["com.docker.network.bridge.enable_ip_masquerade"] == "false", name
    assert [name for name, service in compose["services"].items() if "outbound" in service["networks"]] == [
        "auth"
    ]


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

    # Kong reads the dumps of the plugins once; auth and member migrate their databases.
    assert waits_for("kong") == {"token-validator", "idempotency"}
    assert waits_for("auth") == {"postgres", "redis"}
    assert waits_for("member") == {"postgres"}


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


def test_production_has_no_secret_in_its_environment() -> None:
    compose = load("compose.prod.yaml")
    for name, service in compose["services"].items():
        variables = environment(service)
        assert variables.get("APP_ENV") == "production" or name == "kong", name
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


def subnets(compose: dict[str, Any]) -> dict[str, list[str]]:
    """The subnets of each network that has its own, not one that Docker chooses."""
    return {
        name: [pool["subnet"] for pool in network["ipam"]["config"]]
        for name, network in compose["networks"].items()
        if network and "ipam" in network
    }


def test_auth_believes_in_production_the_networks_of_its_proxies_and_nothing_wider() -> None:
    compose = load("compose.prod.yaml")
    services, fixed = compose["services"], subnets(compose)
    between = {
        network
        for one, other in WAYS_TO_AUTH
        for network in set(services[one]["networks"]) & set(services[other]["networks"])
    }
    assert set(fixed) == between
    *trusted, terminators = environment(services["auth"])["AUTH_TRUSTED_PROXIES"].split(",")
    assert sorted(trusted) == sorted(subnet for network in fixed.values() for subnet in network)
    # Kong names a terminator as whom it was called by, so the two believe the same ones.
    assert terminators == environment(services["kong"])["KONG_TRUSTED_IPS"] == "${KONG_TRUSTED_IPS:-}"


def test_no_two_of_these_networks_overlap_nor_meet_one_that_docker_chooses() -> None:
    chosen_by_docker = [ip_network("172.16.0.0/12"), ip_network("192.168.0.0/16")]
    ours = [
        ip_network(interpolated(subnet))
        for network in subnets(load("compose.prod.yaml")).values()
        for subnet in network
    ]
    assert ours and all(network.is_private for network in ours)
    assert not [pair for pair in combinations([*ours, *chosen_by_docker], 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize(
    ("peer", "forwarded", "terminator", "expected"),
    [
        # A machine of the same private network calls Kong, and makes addresses up.
        ("10.213.77.130", "198.51.100.7, 10.1.2.3, 192.168.1.20", "", "192.168.1.20"),
        ("10.213.77.130", "198.51.100.7, 10.1.2.3, 10.20.30.40", "", "10.20.30.40"),
        # A terminator's last hop is itself; one that is not named is the client.
        ("10.213.77.130", "198.51.100.7, 203.0.113.9, 192.168.1.2", "192.168.1.2", "203.0.113.9"),
        (
            "10.213.77.130",
            "198.51.100.7, 203.0.113.9, 192.168.1.2",
            "192.168.1.2, 10.9.0.0/30",
            "203.0.113.9",
        ),
        ("10.213.77.130", "198.51.100.7, 203.0.113.9, 192.168.1.2", "", "192.168.1.2"),
        # Through the front: straight, and by Kong, which names the front.
        ("10.213.77.70", "192.168.1.20", "", "192.168.1.20"),
        ("10.213.77.130", "192.168.1.20, 10.213.77.3", "", "192.168.1.20"),
    ],
)
def test_on_every_way_in_production_auth_finds_the_client(
    peer: str, forwarded: str, terminator: str, expected: str
) -> None:
    auth = load("compose.prod.yaml")["services"]["auth"]
    text = interpolated(environment(auth)["AUTH_TRUSTED_PROXIES"], KONG_TRUSTED_IPS=terminator)
    assert client(peer, [forwarded], networks(text)).address == expected


def test_what_auth_believes_in_development_stays_in_development() -> None:
    assert "AUTH_TRUSTED_PROXIES" in environment(load("compose.yaml")["services"]["auth"])
    base = load("deploy/compose.base.yaml")["services"]["auth"]
    assert "AUTH_TRUSTED_PROXIES" not in environment(base)


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
