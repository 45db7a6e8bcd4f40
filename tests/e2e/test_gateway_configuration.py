"""kong.yml.template is the gateway's whole configuration: an edit counts at the next restart, a mistake is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import RestartRefused, Stack


@pytest.fixture
def template(stack: Stack) -> Iterator[Path]:
    """The template of this stack, put back afterwards."""
    file = stack.template
    if file is None:
        pytest.skip("this stack reads the checkout's own kong.yml.template")
    before = file.read_text()
    yield file
    file.write_text(before)
    stack.restart("kong")


def test_an_edited_route_is_routed_after_a_restart(stack: Stack, template: Path) -> None:
    moved = f"{stack.gateway_url}/api/house"
    assert httpx.get(moved).status_code == 404
    template.write_text(template.read_text().replace("[/api/home,", "[/api/house,"))
    stack.restart("kong")
    assert httpx.get(moved).status_code == 401  # routed now, and closed like every route of its service
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 404


def test_an_unset_variable_is_named_with_its_line_and_the_gateway_runs_on(
    stack: Stack, template: Path
) -> None:
    lines = template.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, start=1) if "${MEMBER_URL}" in line)
    template.write_text("\n".join(lines).replace("${MEMBER_URL}", "${MEMBRE_URL}") + "\n")
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert f"{template}:{number}: the variable MEMBRE_URL is not set" in str(refused.value)
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 401


def test_a_line_that_is_not_yaml_stops_the_start_and_is_named(stack: Stack, template: Path) -> None:
    lines = template.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, start=1) if line.startswith("  - name: member"))
    lines[number - 1] = "  - name: [member"
    template.write_text("\n".join(lines) + "\n")
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert any(f"{template}:{near}: " in str(refused.value) for near in (number, number + 1))
    assert "stack traceback" not in str(refused.value)


def test_a_mistake_that_kong_finds_is_told_in_its_words_without_a_stack_trace(
    stack: Stack, template: Path
) -> None:
    template.write_text(template.read_text().replace("strip_path: false", "strip_pat: false", 1))
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert "strip_pat" in str(refused.value)
    assert "unknown field" in str(refused.value)
    assert "stack traceback" not in str(refused.value)
