"""kong/environment.sh: settings of Kong that a deployment would miss only in production."""

import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from devstack.gateway.admission import size
from services.catalog.domain.values import MAX_SLUG
from services.catalog.web.caching import MAX_TAGS

ROOT = Path(__file__).parents[3]


def _value(variable: str) -> str:
    script = f'GATEHOUSE_HOME=kong KONG_PLUGINS_DIR=/run/kong-plugins; . kong/environment.sh; printf %s "${variable}"'
    return subprocess.run(["sh", "-euc", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_names_are_looked_up_without_srv_records() -> None:
    """Docker's DNS passes those on to the outside; where there is none, every upstream is without a target."""
    order = _value("KONG_DNS_ORDER").split(",")
    assert "SRV" not in order
    assert "A" in order


def test_clients_learn_no_timings_and_no_sockets_by_asking_for_them() -> None:
    assert _value("KONG_REQUEST_DEBUG") == "off"


def test_headers_that_the_template_removes_are_never_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """With it Kong copies a request's headers before `rewrite`, and sends `Upgrade` upstream by its copy."""
    monkeypatch.setenv("KONG_REQUEST_DEBUG", "on")
    assert _value("KONG_REQUEST_DEBUG") == "off"


def test_a_body_of_the_limit_stays_in_memory_with_what_frames_its_chunks() -> None:
    """Beyond it the body is in a file that only Kong can read, and a keyed request is refused."""
    assert _value("KONG_NGINX_PROXY_CLIENT_BODY_BUFFER_SIZE") == "2m"


def test_a_token_over_the_limit_reaches_the_plugin_that_refuses_it() -> None:
    count, size = _value("KONG_NGINX_PROXY_LARGE_CLIENT_HEADER_BUFFERS").split()
    assert int(count) >= 4
    assert int(size.removesuffix("k")) > 8


def test_the_longest_head_of_an_answer_fits_into_a_buffer() -> None:
    """nginx makes a 502 of any other, and does not start where its rule for the buffers' sizes is broken."""
    head = size(_value("KONG_NGINX_PROXY_PROXY_BUFFER_SIZE"))
    count, each = _value("KONG_NGINX_PROXY_PROXY_BUFFERS").split()
    category = "category:" + "a" * MAX_SLUG
    tags = MAX_TAGS * len(f"product:{UUID(int=0)},") + len(category)
    assert head >= 2 * tags
    busy = 2 * max(head, size(each))
    assert busy < int(count) * size(each) - size(each)


def test_a_service_is_found_again_soon_after_it_was_away() -> None:
    """Docker knows no name of a container that is stopped; Kong would remember that for 30 s."""
    assert float(_value("KONG_DNS_NOT_FOUND_TTL")) <= 1
    assert float(_value("KONG_DNS_VALID_TTL")) + float(_value("KONG_DNS_STALE_TTL")) <= 10
