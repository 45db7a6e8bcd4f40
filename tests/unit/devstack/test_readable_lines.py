"""What a terminal shows of a log line."""

import json

import pytest

from devstack.readable_lines import readable

LINE = {
    "@timestamp": "2026-11-27T09:35:11.123+00:00",
    "log.level": "warning",
    "service.name": "order",
    "log.logger": "services.access",
    "message": "request",
    "http.request.id": "the-request",
    "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span.id": "00f067aa0ba902b7",
    "http.request.method": "POST",
    "url.path": "/api/orders",
    "http.response.status_code": 503,
    "event.duration": 12_340_000,
}


def test_a_request_is_one_short_line() -> None:
    told = "09:35:11.123 WARN  POST /api/orders 503 12.3 ms id=the-request trace=4bf92f3577b34da6a3ce929d0e0e4736"
    assert readable(json.dumps(LINE)) == told
    assert readable(f"order    | {json.dumps(LINE)}\n") == f"order    | {told}\n"


def test_anything_else_is_its_message_with_what_it_says_more() -> None:
    line = {"@timestamp": LINE["@timestamp"], "log.level": "error", "message": "a message was not delivered"}
    told = readable(
        json.dumps(line | {"gatehouse.target": "catalog", "error.message": "status 503", "trace.id": ""})
    )
    assert told == "09:35:11.123 ERROR a message was not delivered target=catalog because=status 503"


def test_a_stack_trace_stands_below() -> None:
    told = readable(
        json.dumps({**LINE, "error.stack_trace": "Traceback\n  File", "error.type": "ValueError"})
    )
    assert told.splitlines()[1:] == ["    Traceback", "      File"]
    assert "error.type=ValueError" in told


@pytest.mark.parametrize(
    "line", ["", "plain", "{", "[1]", '{"a": 1}', "redis | {half", 'said {"@timestamp": "x"}', "null"]
)
def test_what_is_no_line_of_ours_is_left_as_it_is(line: str) -> None:
    assert readable(line) == line


def test_a_strangers_text_neither_begins_a_line_nor_moves_the_cursor() -> None:
    path = "/a\n09:35:11.123 ERROR forged\r\x1b[2J\x9b31m\u202e\u2028김"
    told = readable(json.dumps({**LINE, "url.path": path, "error.stack_trace": "one\n\x1b]0;two\x07"}) + "\n")
    first, *rest = told.splitlines()
    assert r"/a\n09:35:11.123 ERROR forged\r\x1b[2J\x9b31m\u202e\u2028김 503" in first
    assert rest == ["    one", r"    \x1b]0;two\x07"]
