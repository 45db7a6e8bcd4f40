"""The stand-in's access log is Kong's (kong/access-log.conf): the same members, and nothing that may hold a token."""

import json
import re
from pathlib import Path

from devstack.gateway import access_log
from devstack.gateway.exchange import Answer, Exchange, Source
from devstack.gateway.headers import Headers

CONF = (Path(__file__).parents[3] / "kong" / "access-log.conf").read_text(encoding="utf-8")


def exchange(answer: Answer | None) -> Exchange:
    made = Exchange(
        method="GET",
        target="/api/home?token=secret",
        path="/api/home",
        query="token=secret",
        version=1.1,
        headers=Headers([("Authorization", "Bearer secret")]),
        body=b"",
        client=("192.0.2.7", 1234),
        port=8000,
    )
    made.answer = answer
    made.started = 100.0
    return made


def test_both_write_the_same_members() -> None:
    (form,) = re.findall(r"^log_format \w+ escape=json (.*?);$", CONF, re.MULTILINE | re.DOTALL)
    kongs = re.findall(r'"(\w+)":', form)
    own = json.loads(access_log.line(exchange(None), 100.0))
    assert [name for name in kongs if not name.startswith("upstream")] == list(own)


def test_an_answer_is_found_by_the_id_that_the_client_got() -> None:
    answer = Answer(404, Headers([("X-Request-Id", "mine")]), b"", Source.EXIT)
    line = json.loads(access_log.line(exchange(answer), 100.25))
    assert (line["request_id"], line["status"], line["path"], line["duration_s"]) == (
        *("mine", 404, "/api/home"),
        0.25,
    )


def test_without_an_answer_it_is_found_by_the_gateways_own_id() -> None:
    asked = exchange(None)
    assert json.loads(access_log.line(asked, 100.0))["request_id"] == asked.id


def test_no_query_and_no_header_of_the_client_is_written() -> None:
    assert "secret" not in access_log.line(exchange(None), 100.0)
    assert not re.search(
        r"\$(request|args|query_string|request_uri|http_\w+)\b", CONF.partition("log_format")[2]
    )
