"""What a newcomer may write into the template, and Kong 3.9.3 refuses at `POST /config`: so does the project's check.

Each case was sent to a running Kong, which took the document without it and refused it with it.
"""

from __future__ import annotations

import pytest

from devstack.gateway import declarative
from devstack.gateway.attachments import attach
from devstack.gateway.entities import ConfigError
from devstack.gateway.own_answers import OwnAnswers

DOCUMENT = """_format_version: "3.0"
services:
  - name: s
    url: {url}
    {service}
    routes:
      - name: r
        paths: [{path}]
        {route}
{rest}
"""
PLAIN = {
    "url": "http://127.0.0.1:9",
    "service": "retries: 1",
    "path": "/a",
    "route": "strip_path: false",
    "rest": "",
}


def load(**parts: str) -> None:
    """Raises ConfigError."""
    document = DOCUMENT.format(**{**PLAIN, **parts})
    attach(declarative.read(document.encode()), {}, OwnAnswers({}))


def plugin(name: str, config: str = "{}", more: str = "tags: []") -> str:
    return f"plugins:\n  - name: {name}\n    config: {config}\n    {more}"


ROUTES = [
    ("protocols: []", "empty"),
    ("protocols:", "empty"),
    ("protocols: [ws]", "there is no ws"),
    ("protocols: [http, grpc]", "exclude each other"),
    ("protocols: [tcp]", "stream"),
    ("protocols: [grpc]\n        methods: [GET]", "methods: cannot be set with grpc"),
    ("hosts: ['*.a.*']", "more than one wildcard"),
    ("hosts: [a.*.b]", "wildcard is the first label or the last one"),
    ("hosts: ['*']", "wildcard"),
    ("hosts: ['*a.test']", "wildcard"),
    ("hosts: [a b]", "no host name"),
    ("hosts: [a/b]", "no host name"),
    ("hosts: ['']", "no host name"),
    ("hosts: ['a:99999']", "no host name"),
    ("hosts: ['a:x']", "no host name"),
    ("hosts: [bücher.test]", "no host name"),
    ("hosts: ['http://a.test']", "no host name"),
    ("hosts: [-a-]", "no host name"),
    ("headers: {X-A: []}", "it needs values"),
    ("headers: {X-A: ['']}", "it needs values"),
    ("headers: {X A: [b]}", "no name of a header"),
    ("headers: {X-A: ['~*a(?=b)']}", "Kong's router has no (?="),
    ("tags: ['a,b']", "without , and /"),
    ("tags: [a/b]", "without , and /"),
    ("tags: ['']", "without , and /"),
    ("id: x", "expected a valid UUID"),
    ("service: t", "it is below s"),
]
PATHS = [
    ("'~/a(?!b)'", "Kong's router has no (?!"),
    ("'~/(?<=a)b'", "Kong's router has no (?<="),
    ("'~/(a)\\1'", r"Kong's router has no \1"),
    ("'~/(?>a)'", "Kong's router has no (?>"),
    ("'~/a\\Z'", r"Kong's router has no \Z"),
    ("'~/a{'", "Kong's router has no {"),
    ("'~/a{100000}'", "too often"),
    ("'~/a{3,2}'", "not a regular expression"),
    ("'~'", "begins neither"),
    ("~a", "begins neither"),
    ("'~^/a'", "begins neither"),
    ("/a%20b", "write '/a b'"),
    ("/a%zz", "invalid url-encoded value: '%zz'"),
    ("//a", "empty segment"),
    ("/a/../b", "write '/b'"),
    ("/a/./b", "write '/a/b'"),
]
URLS = [
    ("http://127.0.0.1/a b", "characters that no path has"),
    ("http://127.0.0.1/%zz", "invalid url-encoded value"),
    ("http://a b", "no host"),
    ("HTTP://a", "needs http:// or https://"),
    ("http://bücher", "no host"),
    ("http://127.0.0.256", "no host"),
    ("http://a..b", "no host"),
]
PLUGINS = [
    (plugin("rate-limiting"), "at least one of these is needed: second"),
    (plugin("rate-limiting", "{second: 0}"), "must be greater than 0"),
    (
        plugin("rate-limiting", "{second: 10, minute: 5}"),
        "minute (5) cannot be lower than the limit for second",
    ),
    (plugin("rate-limiting", "{second: 10, hour: 5}"), "hour (5) cannot be lower than the limit for second"),
    (plugin("rate-limiting", "{second: 1, limit_by: header}"), "header_name: required"),
    (plugin("rate-limiting", "{second: 1, limit_by: header, header_name: X A}"), "another form"),
    (plugin("rate-limiting", "{month: 10, year: 5}"), "year (5) cannot be lower than the limit for month"),
    (plugin("rate-limiting", "{month: 1, limit_by: path}"), "path: required"),
    (plugin("rate-limiting", "{month: 1, limit_by: path, path: a}"), "another form"),
    (plugin("rate-limiting", "{month: 1, limit_by: path, path: /a//b}"), "empty segments"),
    (plugin("rate-limiting", "{second: 1}", "protocols: [tcp, http]"), "expected one of: grpc"),
    (plugin("correlation-id", "{header_name: ''}"), "another length"),
    (plugin("request-termination", "{status_code: 99}"), "between 100 and 599"),
    (plugin("request-termination", "{message: a, body: b}"), "message cannot be used with"),
    (plugin("request-termination", "{content_type: a}"), "content_type requires a body"),
    (plugin("request-termination", "{echo: true, body: a}"), "echo cannot be used with"),
    (plugin("proxy-cache", "{strategy: memory, cache_ttl: 0}"), "must be greater than 0"),
    (plugin("proxy-cache", "{strategy: memory, response_code: []}"), "another length"),
    (plugin("proxy-cache", "{strategy: memory, request_method: [FOO]}"), "expected one of: HEAD"),
    (plugin("pre-function"), "at least one of these is needed"),
    (plugin("pre-function", "{access: ['']}"), "another length"),
    (plugin("pre-function", "{access: [7]}"), "expected a string"),
    (plugin("prometheus", "{}", "instance_name: x y"), "instance_name: 'x y'"),
    (plugin("prometheus", "{}", "instance_name: 7"), "instance_name: 7"),
    (
        "plugins: [{name: prometheus, instance_name: x}, {name: correlation-id, instance_name: x}]",
        "is called x",
    ),
    (plugin("prometheus", "{}", "tags: ['a,b']"), "without , and /"),
    ("_transform: 'no'", "expected a boolean"),
    ("_comment: 7", "expected a string"),
    ("upstreams: [{name: 127.0.0.1}]", "an address is no name"),
    ("upstreams: [{name: a, algorithm: x}]", "expected one of: round-robin"),
    ("upstreams: [{name: a, slots: 1}]", "between 10 and 65536"),
    ("upstreams: [{name: a, targets: [{target: 'a:1', weight: 70000}]}]", "between 0 and 65535"),
]
REFUSED = [
    *(("route", text, said) for text, said in ROUTES),
    *(("path", text, said) for text, said in PATHS),
    *(("url", text, said) for text, said in URLS),
    *(("rest", text, said) for text, said in PLUGINS),
]
TAKEN = [
    ("route", "protocols: [grpc]"),
    ("route", "protocols: [https, http]"),
    ("route", "hosts: [A.Test, a_b, a.test., 'a.test:80', '*.a.test', 'a.*', '[::1]', 127.0.0.1]"),
    ("route", "headers: {X_A: ['~*a++'], X-B: [b]}"),
    ("route", "regex_priority: 1.0"),
    ("route", "tags: [a b, é]"),
    ("route", "id: 00000000-0000-4000-8000-00000000000a\n        service: s"),
    ("path", "'~/(?<id>a)/[[:alpha:]]/\\d{2,}/[{(?=]\\z'"),
    ("path", "/a b, '/a[0-9]+', /é, '/a;b:c', '~/\\\\1'"),
    ("url", "http://a_b:80/x/../y"),
    ("url", "http://[::1]:80/"),
    ("rest", plugin("rate-limiting", "{second: 5, minute: 5, limit_by: header, header_name: X-A}")),
    ("rest", plugin("rate-limiting", "{month: 5, year: 5, limit_by: path, path: /a/b}")),
    ("rest", plugin("correlation-id", "{}", "protocols: []")),
    ("rest", plugin("request-termination", "{status_code: 101, message: a, echo: true}")),
    ("rest", plugin("prometheus", "{}", "protocols: [tcp]")),
]


@pytest.mark.parametrize(("part", "text", "said"), REFUSED)
def test_what_kong_refuses_is_refused(part: str, text: str, said: str) -> None:
    load()
    with pytest.raises(ConfigError) as refused:
        load(**{part: text})
    assert said in str(refused.value)
    assert refused.value.line is not None


@pytest.mark.parametrize(("part", "text"), TAKEN)
def test_what_kong_takes_is_taken(part: str, text: str) -> None:
    load(**{part: text})
