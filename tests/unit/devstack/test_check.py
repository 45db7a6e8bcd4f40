from __future__ import annotations

import os
from pathlib import Path

import pytest

from devstack.check import check
from devstack.errors import PrepareError
from devstack.settings import ROOT

TEMPLATE = (ROOT / "kong.yml.template").read_text()


def test_the_template_would_start_a_gateway() -> None:
    configuration = check(ROOT / "kong.yml.template", os.environ)
    assert {service.name for service in configuration.services} >= {"auth", "member", "bff"}


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("${MEMBER_URL}", "${MEMBRE_URL}", "the variable MEMBRE_URL is not set"),
        ("strip_path: false", "strip_pat: false", "unknown field: strip_pat"),
        (
            "- name: request-size-limiting",
            "- name: request-sized-limiting",
            "there is no plugin request-sized-limiting",
        ),
        ("jwks_url:", "jwks_uri:", "plugin token-validator: config.jwks_uri: unknown field"),
        ("ttl: ${IDEMPOTENCY_TTL:-3600}", "ttl: soon", "plugin idempotency: config.ttl: expected a integer"),
        ("local headers, cut_off", "locale headers, cut_off", "plugin pre-function: config.rewrite:"),
        ("  - name: member\n", "  - name: [member\n", "failed parsing declarative configuration: "),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    assert right in TEMPLATE
    template = tmp_path / "kong.yml.template"
    template.write_text(TEMPLATE.replace(right, wrong))
    with pytest.raises(PrepareError) as refused:
        check(template, os.environ)
    assert reason in str(refused.value)
