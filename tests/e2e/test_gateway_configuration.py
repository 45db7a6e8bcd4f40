"""kong.yml.template is the gateway's whole configuration: an edit takes effect without a gap, a mistake not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import people
from tests.e2e.local_stack import LocalStack
from tests.e2e.people import Tokens
from tests.e2e.stack import RestartRefused, Stack
from tests.e2e.traffic import traffic
from tests.waiting import until


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


def test_a_pattern_may_open_a_path_that_a_plain_route_closes(stack: Stack, template: Path) -> None:
    opened = """services:
  - name: glass
    url: "${CATALOG_URL}/api/products"
    routes:
      - name: glass
        paths: ["~/api/(?:home|glass)$"]
"""
    template.write_text(template.read_text().replace("services:\n", opened, 1))
    stack.restart("kong")
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 200


def test_a_key_at_one_service_is_another_key_at_the_other_one_of_its_path(
    stack: Stack, template: Path
) -> None:
    """By its host, or by a header, a request is another service's."""
    names = ("idempotency-in-progress", "idempotency-key-reused")
    one = """  - name: glass-NAME
    url: "${BFF_URL}/problems/NAME"
    routes:
      - name: glass-NAME
        hosts: [NAME.example]
        paths: [/api/glass]
        plugins: [{name: idempotency}]
"""
    both = "services:\n" + "".join(one.replace("NAME", name) for name in names)
    template.write_text(template.read_text().replace("services:\n", both, 1))
    stack.restart("kong")
    key = people.new_key()
    for name in names:
        asked = {"Host": f"{name}.example", "Idempotency-Key": key}
        first, again = (httpx.get(f"{stack.gateway_url}/api/glass", headers=asked) for _ in range(2))
        assert (first.status_code, "Idempotent-Replayed" in first.headers) == (200, False)
        assert (again.text, "Idempotent-Replayed" in again.headers) == (first.text, True)


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


def test_a_token_validator_of_one_consumer_is_refused(stack: Stack, template: Path) -> None:
    """It would never run: Kong does not know the consumer yet."""
    of_one = """plugins:
  - name: token-validator
    consumer: ann
    config: {jwks_url: "${AUTH_JWKS_URL}", issuer: "${TOKEN_ISSUER}", audience: "${TOKEN_AUDIENCE}"}
"""
    known = "consumers: [{username: ann}]\nservices:\n"
    text = template.read_text().replace("\nservices:\n", f"\n{known}", 1)
    template.write_text(text.replace("\nplugins:\n", f"\n{of_one}", 1))
    with pytest.raises(RestartRefused, match="consumer"):
        stack.restart("kong")
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 401


def test_what_opens_something_is_not_logged_by_a_plugin_that_logs(
    stack: Stack, template: Path, tmp_path: Path
) -> None:
    if not isinstance(stack, LocalStack) or not stack.traced_gateway:
        pytest.skip("it takes a Kong that writes into a directory of the test's")
    tmp_path.chmod(0o777)
    written = tmp_path / "requests"
    logs = f"plugins:\n  - {{name: file-log, config: {{path: {written}}}}}\n"
    template.write_text(template.read_text().replace("\nplugins:\n", f"\n{logs}", 1))
    stack.restart("kong")
    names = ("Authorization", "Cookie", "X-API-Key", "Idempotency-Key")
    httpx.get(
        f"{stack.gateway_url}/api/home?token=opens-in-query",
        headers={name: f"opens-in-{name}" for name in names},
    )
    asyncio.run(until(lambda: written.exists() and '"idempotency-key":' in written.read_text()))
    assert "opens-in" not in written.read_text()


def test_a_line_that_is_not_yaml_is_named_and_the_gateway_runs_on(stack: Stack, template: Path) -> None:
    lines = template.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, start=1) if line.startswith("  - name: member"))
    lines[number - 1] = "  - name: [member"
    template.write_text("\n".join(lines) + "\n")
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert any(f"{template}:{near}: " in str(refused.value) for near in (number, number + 1))
    assert "stack traceback" not in str(refused.value)
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 401


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("strip_path: false", "strip_pat: false", "unknown field"),
        ("connect_timeout: 2000", 'connect_timeout: "2 s"', "expected an integer"),
        ("name: token-validator", "name: token-validatr", "token-validatr"),
        ("ttl: ${IDEMPOTENCY_TTL:-3600}", "ttl: soon", "expected a"),
        ("[/api/members, /api/outbox/member]", '["~/api/(members"]', "regex"),
        ("- name: members\n", "- name: home\n", "home"),
        # These it takes: they fail once a request meets them.
        ("kong.router.get_service()", "kong.router.got_service()", "attempt to call field 'got_service'"),
        ("local MOST_BODY = 1048576", "local MOST_BODY = nothing.here", "attempt to index global 'nothing'"),
        (
            "kong.response.get_source(), ",
            "kong.response.got_source(), ",
            "attempt to call field 'got_source'",
        ),
        (
            "kong.response.get_raw_body()",
            "kong.response.got_raw_body()",
            "attempt to call field 'got_raw_body'",
        ),
        # Over these Kong's own code breaks off, and says nothing of them.
        ("plugins: [*token-validator]\n", "plugins: [token-validator]\n", "expected a record"),
        ("  - name: member\n", "  -\n  - name: member\n", "expected a record"),
    ],
)
def test_a_mistake_that_kong_finds_is_named_with_its_line_and_the_gateway_runs_on(
    stack: Stack, template: Path, right: str, wrong: str, said: str
) -> None:
    before = httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"]
    text = template.read_text()
    assert right in text
    template.write_text(text.replace(right, wrong, 1))
    number = text.count("\n", 0, text.index(right)) + 1
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert said.replace("regex", "reg") in str(refused.value)
    assert f"{template}:{number}: " in str(refused.value)
    assert "stack traceback" not in str(refused.value)
    assert httpx.get(f"{stack.gateway_url}/api/home").status_code == 401
    assert httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"] == before


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("\nplugins:\n", "\nplugins: []\n\nplugins:\n", "plugins is there twice"),
        (
            "    plugins: [*token-validator]\n",
            "    plugins: [*token-validator]\n    plugins: []\n",
            "plugins is there",
        ),
        ("- name: pre-function\n", "- name: pre-function\n    enabled: false\n", "no pre-function"),
        ("      rewrite:\n", "      certificate:\n", "no pre-function"),
    ],
    ids=["all plugins", "a service's plugins", "disabled", "another phase"],
)
def test_an_edit_that_would_undo_who_is_asking_is_put_back(
    stack: Stack, template: Path, right: str, wrong: str, said: str
) -> None:
    before = httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"]
    text = template.read_text()
    assert right in text
    template.write_text(text.replace(right, wrong, 1))
    with pytest.raises(RestartRefused) as refused:
        stack.restart("kong")
    assert said in str(refused.value)
    assert httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"] == before


def test_no_request_fails_while_good_and_bad_edits_take_turns(
    stack: Stack, template: Path, admin: Tokens
) -> None:
    text = template.read_text()
    with traffic(stack, admin) as outcomes:
        for turn in range(6):
            edited = text.replace("[/api/home,", f"[/api/home, /api/house-{turn},")
            template.write_text(edited.replace("lock_ttl: 5", f"lock_ttl: {6 + turn}"))
            stack.restart("kong")
            for number in range(10):  # each worker has it
                status = httpx.get(f"{stack.gateway_url}/api/house-{turn}").status_code
                assert status == 401, (turn, number)
            template.write_text(text.replace("strip_path:", "strip_pat:", 1 + turn))
            with pytest.raises(RestartRefused):
                stack.restart("kong")
            assert httpx.get(f"{stack.gateway_url}/api/house-{turn}").status_code == 401
    print(f"answers while 6 edits were taken and 6 refused: {dict(outcomes)}")
    assert set(outcomes) == {"200", "201"}, outcomes


def test_a_gateway_that_dies_beside_a_bad_file_comes_back_with_what_worked(
    stack: Stack, template: Path
) -> None:
    template.write_text(template.read_text().replace("[/api/home,", "[/api/house,"))
    stack.restart("kong")
    worked = httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"]
    template.write_text(template.read_text().replace("strip_path:", "strip_pat:"))
    stack.kill("kong")

    def in_force() -> str:
        try:
            return str(httpx.get(f"{stack.admin_url}/status").json()["configuration_hash"])
        except httpx.HTTPError:
            return ""

    give_up = time.monotonic() + 60
    while in_force() != worked:
        assert time.monotonic() < give_up
        time.sleep(0.2)
    while (status := httpx.get(f"{stack.gateway_url}/api/house").status_code) != 401:
        assert time.monotonic() < give_up, status
        time.sleep(0.2)
