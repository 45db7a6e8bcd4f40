from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from devstack.check import check, plugin_servers
from devstack.errors import PrepareError
from devstack.settings import ROOT

TEMPLATE = (ROOT / "kong.yml.template").read_text()


def test_the_template_would_start_a_gateway() -> None:
    configuration = check(ROOT / "kong.yml.template", os.environ)
    assert {service.name for service in configuration.services} >= {"auth", "member", "bff"}


def test_a_checkout_may_have_a_space_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a new/shop's/.venv/bin/python")
    asked = [value for name, value in plugin_servers().items() if name.endswith("_QUERY_CMD")]
    assert {shlex.split(command)[0] for command in asked} == {sys.executable}


MISTAKES = [
    ("${MEMBER_URL}", "${MEMBRE_URL}", "${MEMBRE_URL}", "the variable MEMBRE_URL is not set"),
    ("strip_path: false", "strip_pat: false", "strip_pat: false", "unknown field: strip_pat"),
    ("strip_path: false", 'strip_path: "no"', 'strip_path: "no"', "strip_path: expected a boolean"),
    ("connect_timeout: 2000", "connect_timeout: 2s", "connect_timeout: 2s", "expected an integer"),
    ("retries: 1", "retries: 99999", "retries: 99999", "value should be between 0 and 32767"),
    ("[/api/members, ", "[api/members, ", "[api/members, ", "begins neither with /"),
    ("[/api/members, ", '["~/api/(members", ', "(members", "is not a regular expression"),
    ("- name: members\n", "- name: home\n", "- name: home\n", "more than one route is called home"),
    ("- name: member\n", "- name: bff\n", "- name: bff\n", "more than one service is called bff"),
    ("- name: member\n", "- name: my member\n", "- name: my member", "only letters, digits"),
    (
        "- name: request-size-limiting",
        "- name: request-sized-limiting",
        "sized-limiting",
        "there is no plugin",
    ),
    ("name: token-validator", "name: token-validatr", "token-validatr", "there is no plugin token-validatr"),
    (
        "- name: request-size-limiting",
        "- name: correlation-id",
        "- name: correlation-id",
        "more than one plugin",
    ),
    ("jwks_url:", "jwks_uri:", "jwks_uri:", "plugin token-validator: config.jwks_uri: unknown field"),
    ("ttl: ${IDEMPOTENCY_TTL:-3600}", "ttl: soon", "ttl: soon", "plugin idempotency: config.ttl: expected a"),
    ("lock_ttl: 5", "header_names: []", "header_names: []", "config.header_names: has another length"),
    (
        "lock_ttl: 5",
        "store_statuses: [9xx]",
        "store_statuses: [9xx]",
        "config.store_statuses: has another form",
    ),
    ("lock_ttl: 5", "caller_header: a b", "caller_header: a b", "config.caller_header: has another form"),
    (
        "size_unit:",
        "size_units:",
        "size_units:",
        "plugin request-size-limiting: config.size_units: unknown field",
    ),
    (
        "local headers, cut_off",
        "locale headers, cut_off",
        "locale headers, cut_off",
        "plugin pre-function: config.rewrite: '=' expected",
    ),
    ("  - name: member\n", "  - name: [member\n", "  - name: [member\n", "expected"),
    ("  - name: member\n", "   - name: member\n", "   - name: member\n", "expected"),
    ("lock_ttl: 5", "ttl: 5", "ttl: 5", "ttl is there twice"),
]


CACHE = "- name: proxy-cache\n{0}  config: {{strategy: memory}}\n{0}"


@pytest.mark.parametrize(
    ("before", "indent"),
    [
        ("- name: correlation-id", "  "),
        ("- &token-validator", "      "),
        ("- name: idempotency\n", "          "),
    ],
    ids=["everywhere", "service", "route"],
)
def test_a_cache_that_knows_no_tokens_is_refused_where_there_are_tokens(
    tmp_path: Path, before: str, indent: str
) -> None:
    """proxy-cache gave one user's home to another."""
    template = tmp_path / "kong.yml.template"
    assert before in TEMPLATE
    template.write_text(TEMPLATE.replace(before, CACHE.format(indent) + before, 1))
    with pytest.raises(PrepareError, match="one user's answer to another"):
        check(template, os.environ)


FUNCTION = "- name: {1}\n{0}  config: {{access: ['return nil']}}\n{0}"


@pytest.mark.parametrize("name", ["pre-function", "post-function"])
@pytest.mark.parametrize(
    ("before", "indent"), [("- &token-validator", "      "), ("- name: idempotency\n", "          ")]
)
def test_a_function_that_would_replace_the_one_for_every_request_is_refused(
    tmp_path: Path, name: str, before: str, indent: str
) -> None:
    """Where Kong ran a route's own, what needs no token was not looked at again, and its errors were no problems."""
    template = tmp_path / "kong.yml.template"
    template.write_text(TEMPLATE.replace(before, FUNCTION.format(indent, name) + before, 1))
    line = TEMPLATE[: TEMPLATE.index(before)].count("\n") + 1
    with pytest.raises(
        PrepareError, match=f":{line}: plugin {name}: on .* in place of the one for every request"
    ):
        check(template, os.environ)


def test_tokens_need_the_function_that_takes_identities_from_clients(tmp_path: Path) -> None:
    template = tmp_path / "kong.yml.template"
    template.write_text(
        TEMPLATE.replace("  - name: pre-function\n", "  - name: pre-function\n    enabled: false\n")
    )
    with pytest.raises(PrepareError, match="there is no pre-function for every request"):
        check(template, os.environ)


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        (
            "- &token-validator\n        name: token-validator\n        config:\n",
            "          user_id_header: X-Account\n",
            'pre-function does not take "x-account" from what clients send',
        ),
        (
            "- name: idempotency\n            config:\n",
            "              caller_header: X-Account\n",
            'on home-idempotency-key token-validator tells it by another header, "x-user-id"',
        ),
        (
            "- name: response-cache\n            config:\n",
            "              user_header: X-Account\n",
            'on product-list token-validator tells it by another header, "x-user-id"',
        ),
    ],
)
def test_all_plugins_know_a_caller_by_one_header_that_clients_cannot_send(
    tmp_path: Path, right: str, wrong: str, reason: str
) -> None:
    template = tmp_path / "kong.yml.template"
    template.write_text(TEMPLATE.replace(right, right + wrong, 1))
    line = TEMPLATE[: TEMPLATE.index(right)].count("\n") + right.count("\n") + 1
    with pytest.raises(PrepareError, match=f":{line}: plugin .*{reason}"):
        check(template, os.environ)


def test_a_cache_is_taken_where_nobody_has_a_token(tmp_path: Path) -> None:
    template = tmp_path / "kong.yml.template"
    auth_public = "    plugins:\n      # Of one address"
    cache = "    plugins:\n      - {name: proxy-cache, config: {strategy: memory}}\n      # Of one address"
    assert auth_public in TEMPLATE
    template.write_text(TEMPLATE.replace(auth_public, cache, 1))
    check(template, os.environ)


@pytest.mark.parametrize(("right", "wrong", "at", "reason"), MISTAKES)
def test_names_what_is_wrong_with_its_line(
    tmp_path: Path, right: str, wrong: str, at: str, reason: str
) -> None:
    assert right in TEMPLATE
    template = tmp_path / "kong.yml.template"
    text = TEMPLATE.replace(right, wrong)
    template.write_text(text)
    with pytest.raises(PrepareError) as refused:
        check(template, os.environ)
    assert reason in str(refused.value)
    places = [text.count("\n", 0, found) + 1 for found in range(len(text)) if text.startswith(at, found)]
    near = {f"{template}:{place + after}: " for place in places for after in (0, 1)}
    assert any(place in str(refused.value) for place in near), str(refused.value)


MEMBERS_ROUTE = """      - name: members
        paths: &members [/api/members, /api/outbox/member]
        strip_path: false
"""
LIMIT = """
        plugins: &limited
          - name: rate-limiting
            config: {minute: 5, policy: local}
"""


def test_a_plugin_on_one_of_two_routes_that_differ_in_a_header_is_named(tmp_path: Path) -> None:
    """Whoever sends a key takes the other route, and would go round the limit."""
    template = tmp_path / "kong.yml.template"
    assert MEMBERS_ROUTE in TEMPLATE
    template.write_text(TEMPLATE.replace(MEMBERS_ROUTE, MEMBERS_ROUTE.rstrip("\n") + LIMIT))
    with pytest.raises(PrepareError, match=r"members and members-idempotency-key .* plugins rate-limiting"):
        check(template, os.environ)


MEMBERS_TWIN = """      - name: members-idempotency-key
        paths: *members
        strip_path: false
        headers: {Idempotency-Key: *any-value}
        plugins: *answer-repeats
"""


@pytest.mark.parametrize(
    ("twin", "reason"),
    [
        (
            MEMBERS_TWIN
            + MEMBERS_TWIN.replace("members-", "members-x-").replace("{Idempotency", "{X-Idempotency"),
            "members-idempotency-key and members-x-idempotency-key match one idempotency key",
        ),
        (MEMBERS_TWIN.replace("{Idempotency", "{X-Idempotency"), "name that header"),
        (MEMBERS_TWIN.replace("*members", "[/api/members, /api/more]"), "needs one twin"),
        (
            MEMBERS_TWIN.replace("        paths", "        methods: [POST]\n        paths")
            + MEMBERS_TWIN.replace("members-", "members-two-"),
            "members-idempotency-key and members-two-idempotency-key match one idempotency key",
        ),
        (MEMBERS_TWIN.replace("strip_path: false", "strip_path: true"), "needs one twin"),
        (MEMBERS_TWIN.replace("        plugins: *answer-repeats\n", ""), "has no plugin idempotency"),
    ],
    ids=["two", "another header", "other paths", "two of one method", "another path upstream", "no plugin"],
)
def test_a_route_with_keys_has_exactly_one_twin(tmp_path: Path, twin: str, reason: str) -> None:
    template = tmp_path / "kong.yml.template"
    assert MEMBERS_TWIN in TEMPLATE
    template.write_text(TEMPLATE.replace(MEMBERS_TWIN, twin))
    with pytest.raises(PrepareError, match=reason):
        check(template, os.environ)


def test_a_route_may_have_no_twin_or_one_with_idempotency_on_both(tmp_path: Path) -> None:
    template = tmp_path / "kong.yml.template"
    template.write_text(TEMPLATE.replace(MEMBERS_TWIN, ""))
    check(template, os.environ)
    required = "        plugins: [{name: idempotency, config: {required: true}}]\n"
    template.write_text(TEMPLATE.replace(MEMBERS_ROUTE, MEMBERS_ROUTE + required))
    check(template, os.environ)
