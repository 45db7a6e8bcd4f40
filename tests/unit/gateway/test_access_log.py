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
    kongs = re.findall(r'"([@\w.]+)":', form)
    own = json.loads(access_log.line(exchange(None), 100.0))
    assert [name for name in kongs if not name.startswith("kong.upstream")] == list(own)


def test_an_answer_is_found_by_the_id_that_the_client_got() -> None:
    answer = Answer(404, Headers([("X-Request-Id", "mine")]), b"", Source.EXIT)
    line = json.loads(access_log.line(exchange(answer), 100.25))
    assert (line["http.request.id"], line["http.response.status_code"], line["url.path"]) == (
        *("mine", 404),
        "/api/home",
    )
    assert line["event.duration"] == 250_000_000


def test_kongs_seconds_become_nanoseconds() -> None:
    (body,) = re.findall(r"^map \$request_time [^{]*\{(.*?)^\}", CONF, re.MULTILINE | re.DOTALL)
    rules = re.findall(r'"~(\S+)" "([^"]+)";', body)

    def told(seconds: str) -> int:
        for pattern, made in rules:
            if found := re.search(pattern.replace("?<", "?P<"), seconds):
                return int(re.sub(r"\$\{(\w+)\}", lambda name: found[name[1]], made))
        return 0

    assert [told(text) for text in ("0.000", "0.007", "0.120", "1.000", "12.345")] == [
        *(0, 7_000_000, 120_000_000),
        *(1_000_000_000, 12_345_000_000),
    ]
    assert not [made for _, made in rules if made.startswith("0")]


def test_without_an_answer_it_is_found_by_the_gateways_own_id() -> None:
    asked = exchange(None)
    assert json.loads(access_log.line(asked, 100.0))["http.request.id"] == asked.id


def test_no_query_and_no_header_of_the_client_is_written() -> None:
    assert "secret" not in access_log.line(exchange(None), 100.0)
    assert not re.search(
        r"\$(request|args|query_string|request_uri|http_\w+)\b", CONF.partition("log_format")[2]
    )
