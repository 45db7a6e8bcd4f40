"""The server that all Python hops share, alone: every framing, in pieces of every size."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from common.http_server.protocol import StrictProtocol
from tests.framing.corpus import CASES, HIDDEN, HOST, LAST, Case
from tests.framing.wire import Recorder, feed, protocol, settle, statuses


def _divisions(raw: bytes) -> Iterator[list[bytes]]:
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for at in range(1, len(raw)):
        yield [raw[:at], raw[at:]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_each_framing_has_its_one_reading_however_it_is_cut(case: Case) -> None:
    for pieces in _divisions(case.raw):
        recorder = Recorder()
        transport = await feed(recorder, *pieces)
        said = f"cut as {[len(piece) for piece in pieces]}"
        assert tuple(recorder.reads) == case.reads, said
        found = statuses(transport.written)
        assert found[: len(case.reads)] == [200] * len(case.reads), said
        assert all(status >= 400 for status in found[len(case.reads) :]), said
        assert len(found) <= len(case.reads) + 1, said
        assert transport.ended == case.ends, said


async def test_trailer_fields_never_join_the_headers() -> None:
    recorder = Recorder(early=True)
    case = next(case for case in CASES if case.name == "trailer")
    await feed(recorder, *(case.raw[at : at + 1] for at in range(len(case.raw))))
    assert [b"x-user-id" in headers for headers in recorder.headers] == [False, False]


@pytest.mark.parametrize(("version", "told"), [(b"1.1", 1), (b"1.0", 0)])
async def test_only_a_client_that_knows_100_is_told_to_go_on(version: bytes, told: int) -> None:
    """RFC 9110 §10.1.1: an HTTP/1.0 client would take it for the answer."""
    head = (
        b"POST /api/x HTTP/" + version + b"\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    transport = await feed(recorder := Recorder(), head, b"ab")
    assert recorder.reads == [("POST", "/api/x", b"ab")]
    assert transport.written.count(b"HTTP/1.1 100 ") == told
    assert statuses(transport.written) == [200]


async def test_an_early_answer_leaves_the_rest_of_its_body_unread_and_the_next_request_whole() -> None:
    recorder = Recorder(early=True)
    made, transport = protocol(recorder)
    made.data_received(b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN))
    await settle(made)
    assert statuses(transport.written) == [200], "the answer came before the body"
    made.data_received(HIDDEN[:10])
    waiting: object = made.expected_until
    assert waiting is None, "no idle connection in the middle of a body"
    made.data_received(HIDDEN[10:])
    waiting = made.expected_until
    assert waiting is not None, "the wait for the next request begins at its end"
    made.data_received(LAST)
    await settle(made)
    assert [target for _, target, _ in recorder.reads] == ["/api/x", "/api/last"]
    made.connection_lost(ConnectionResetError())


async def test_the_rest_of_a_body_that_was_answered_early_has_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A byte now and then would keep the connection for ever: neither head, nor body, nor idleness ends it."""
    monkeypatch.setattr(StrictProtocol, "rest_seconds", 0.0)
    made, transport = protocol(Recorder(early=True))
    made.data_received(b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
    await settle(made)
    assert statuses(transport.written) == [200]
    made.data_received(b"1\r\na\r\n")
    await asyncio.sleep(0.01)
    assert transport.ended
    made.connection_lost(None)


async def test_a_body_that_ends_after_its_early_answer_keeps_its_connection() -> None:
    made, transport = protocol(Recorder(early=True))
    made.data_received(b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\na")
    await settle(made)
    timer = made._rest_timer
    assert timer is not None
    made.data_received(b"b")
    assert timer.cancelled() and not transport.ended
    made.data_received(LAST)
    await settle(made)
    assert statuses(transport.written) == [200, 200]
    assert made._rest_timer is None
    made.connection_lost(None)


async def test_an_early_answer_to_an_expectation_ends_the_connection() -> None:
    """Whether the body follows is the client's choice: no byte after the answer can be told from it."""
    recorder = Recorder(early=True)
    head = b"POST /api/x HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 40\r\n\r\n"
    transport = await feed(recorder, head, LAST)
    assert transport.ended and statuses(transport.written) == [200]
    assert [target for _, target, _ in recorder.reads] == ["/api/x"]


async def test_a_head_goes_with_the_first_piece_of_its_body_and_an_empty_one_sends_it_alone() -> None:
    written = []

    async def app(_: object, __: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await asyncio.sleep(0)
        written.append(transport.written)
        for piece in (b"", b"a", b"b"):
            await send({"type": "http.response.body", "body": piece, "more_body": piece != b"b"})
            written.append(transport.written)

    made, transport = protocol(app)
    made.data_received(LAST)
    await settle(made)
    assert written[0] == b""
    assert written[1].endswith(b"\r\n\r\n")
    assert written[2:] == [written[1] + b"a", written[1] + b"ab"]
    made.connection_lost(None)


async def test_a_request_that_is_answered_is_no_running_task() -> None:
    """The server waits for those that are, when it ends."""
    made, _ = protocol(Recorder())
    made.data_received(LAST)
    assert len(made.tasks) == 1
    await settle(made)
    assert not made.tasks
    made.connection_lost(None)


async def test_a_malformed_request_is_not_answered_in_an_earlier_ones_turn() -> None:
    recorder = Recorder()
    made, transport = protocol(recorder)
    made.data_received(b"GET /api/x HTTP/1.1\r\n" + HOST + b"\r\n" + b"HELLO\r\n\r\n")
    assert transport.written == b"", "the first answer is not ready"
    await settle(made)
    assert statuses(transport.written) == [200] and transport.ended


@pytest.mark.parametrize("length", [8 * 1024 + 1, 70_000, 300_000])
async def test_a_target_that_is_too_long_is_a_414(length: int) -> None:
    transport = await feed(Recorder(), b"GET /" + b"a" * length + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert statuses(transport.written) == [414] and transport.ended


async def test_an_absolute_target_names_the_host() -> None:
    recorder = Recorder()
    raw = b"GET http://shop.example:8080?a=b HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    await feed(recorder, raw)
    assert recorder.reads == [("GET", "/", b"")]
    assert recorder.headers[0][b"host"] == b"shop.example:8080"


async def test_a_head_without_end_is_refused() -> None:
    pieces = [b"GET / HTTP/1.1\r\n" + HOST, *(b"X-A: %s\r\n" % (b"a" * 4000) for _ in range(40))]
    transport = await feed(Recorder(), *pieces)
    assert statuses(transport.written) == [431] and transport.ended


async def test_chunk_extensions_and_trailers_without_end_are_refused() -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    for start in (b"1;", b"1\r\na\r\n0\r\nX-A: "):
        transport = await feed(Recorder(), head, start, *([b"a" * 4000] * 40))
        assert statuses(transport.written) == [400] and transport.ended


async def test_small_chunks_are_taken_in_any_number() -> None:
    recorder = Recorder()
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    await feed(recorder, head, *([b"1\r\na\r\n" * 1000] * 40), b"0\r\n\r\n")
    assert recorder.reads == [("POST", "/", b"a" * 40_000)]
