"""Methods, conditional requests, media types, strict JSON and the grammar of parameters: what RFC 9110 and RFC 8259 ask
of every address of every service.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from httpx import AsyncClient, Response
from litestar import Response as Answer
from litestar import get, patch, post, put
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from common import problem_documents
from services.chassis.app import create_app
from services.chassis.conditional import judged
from tests.in_process import running

JSON = {"Content-Type": "application/json"}
ID = "6f1c6a0e-7a52-4a3c-9a51-0c5d1b1f9a10"
MODIFIED = "Fri, 27 Nov 2026 10:00:00 GMT"


class Consent(msgspec.Struct):
    given: bool
    count: int = 0
    at: datetime | None = None
    note: str = ""
    more: list[int] = []


class Colour(Enum):
    RED = "red"


@get("/things/{thing_id:uuid}", public=True)
async def thing(thing_id: FromPath[UUID]) -> Answer[dict[str, str]]:
    return Answer({"id": str(thing_id)}, headers={"ETag": '"3"', "Cache-Control": "private"})


@get("/numbered/{number:int}", public=True)
async def numbered(number: FromPath[int]) -> int:
    return number


@get("/dated", public=True)
async def dated() -> Answer[str]:
    return Answer("old", headers={"Last-Modified": MODIFIED})


@get("/plain", public=True)
async def plain() -> str:
    return "plain"


@post("/consents", public=True)
async def consent(data: JSONBody[Consent]) -> Consent:
    return data


@patch("/consents", public=True)
async def merge(data: JSONBody[Consent]) -> Consent:
    return data


@put("/consents", public=True)
async def replace(data: JSONBody[Consent]) -> Consent:
    return data


@post("/empty", public=True)
async def optional(data: JSONBody[Consent | None] = None) -> bool:
    return data is None


@get("/list", public=True)
async def listing(
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
    since: Annotated[datetime | None, QueryParameter(name="created_from")] = None,
    consented: Annotated[bool | None, QueryParameter(name="consented")] = None,
    colour: Annotated[Colour | None, QueryParameter(name="colour")] = None,
    text: Annotated[str | None, QueryParameter(name="q", max_length=10)] = None,
    owner: Annotated[UUID | None, QueryParameter(name="owner")] = None,
    number: Annotated[int | None, HeaderParameter(name="X-Number", ge=1)] = None,
) -> list[Any]:
    return [limit, since, consented, colour, text, owner, number]


@get("/by-state", public=True)
async def by_state(
    begins: Annotated[datetime, QueryParameter(name="from")],
    in_state: Annotated[Colour | None, QueryParameter(name="state")] = None,
    at_most: Annotated[int, QueryParameter(name="most", le=9)] = 1,
    if_match: Annotated[str | None, HeaderParameter(name="If-Match", max_length=9)] = None,
) -> list[Any]:
    return [begins, in_state, at_most, if_match]


@pytest.fixture
async def api() -> AsyncIterator[AsyncClient]:
    handlers = [thing, numbered, dated, plain, consent, merge, replace, optional, listing, by_state]
    async with running(create_app(title="Test", handlers=handlers, authenticator=None)) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/plain", f"/things/{ID}", "/health", "/health/ready", "/metrics", "/docs/openapi.json"]
)
async def test_head_is_get_without_the_body(api: AsyncClient, path: str) -> None:
    got, head = await api.get(path), await api.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    own = {"x-request-id", "content-length"} if path == "/metrics" else {"x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in got.headers.items() if k not in own
    }


async def test_what_is_wrong_is_named_as_it_was_sent(api: AsyncClient) -> None:
    query = {"from": "2026-11-27T10:00:00Z", "state": "blue", "most": "10"}
    answer = await api.get("/by-state", params=query, headers={"If-Match": "x" * 10})
    faults = {fault["field"]: fault["code"] for fault in answer.json()["errors"]}
    assert (answer.status_code, faults) == (
        400,
        {"state": "not_allowed", "most": "too_large", "If-Match": "too_long"},
    )


async def test_a_parameter_that_has_to_be_sent_is_named(api: AsyncClient) -> None:
    answer = await api.get("/by-state", params={"most": "one"})
    faults = {fault["field"]: fault["code"] for fault in answer.json()["errors"]}
    assert (answer.status_code, faults) == (400, {"from": "required", "most": "wrong_type"})


async def test_head_of_what_is_not_there_has_no_body_either(api: AsyncClient) -> None:
    assert ((await api.head("/nothing")).status_code, (await api.head("/nothing")).content) == (404, b"")
    assert (await api.head("/consents")).status_code == 405


@pytest.mark.parametrize(
    ("path", "allowed"), [("/plain", "GET, HEAD, OPTIONS"), ("/consents", "OPTIONS, PATCH, POST, PUT")]
)
async def test_all_methods_of_an_address_are_named(api: AsyncClient, path: str, allowed: str) -> None:
    options, refused = await api.options(path), await api.delete(path)
    assert (options.status_code, options.headers["Allow"]) == (204, allowed)
    assert (refused.status_code, refused.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "FOO"])
async def test_a_method_that_no_service_has_is_501(api: AsyncClient, method: str) -> None:
    answer = await api.request(method, "/plain")
    assert (answer.status_code, answer.headers["Content-Type"]) == (501, "application/problem+json")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"If-None-Match": '"3"'}, 304),
        ({"If-None-Match": 'W/"3"'}, 304),
        ({"If-None-Match": '"1", W/"2" ,"3"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"X-If-None-Match": '"3"'}, 304),
        ({"If-None-Match": '"2"'}, 200),
        ({"If-None-Match": "3"}, 200),
        ({"If-None-Match": '"3'}, 200),
        ({"If-Match": '"3"'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": 'W/"3"'}, 412),
        ({"If-Match": '"2"', "If-None-Match": '"3"'}, 412),
        ({"If-Match": '"3"', "If-None-Match": '"3"'}, 304),
        ({"If-Modified-Since": MODIFIED}, 200),
    ],
)
async def test_a_tagged_answer_is_read_conditionally(
    api: AsyncClient, sent: dict[str, str], status: int
) -> None:
    for method in ("GET", "HEAD"):
        answer = await api.request(method, f"/things/{ID}", headers=sent)
        assert answer.status_code == status
        if status == 304:
            assert (answer.content, answer.headers["ETag"], answer.headers["Cache-Control"]) == (
                b"",
                '"3"',
                "private",
            )
            assert not {"content-type", "content-length"} & answer.headers.keys()


async def test_several_lines_of_tags_are_one_list(api: AsyncClient) -> None:
    lines = [("If-None-Match", '"3"'), ("If-None-Match", '"4"')]
    assert (await api.get(f"/things/{ID}", headers=lines)).status_code == 304


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"If-Modified-Since": MODIFIED}, 304),
        ({"If-Modified-Since": "Friday, 27-Nov-26 10:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Fri, 27 Nov 2026 09:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": MODIFIED, "If-None-Match": '"x"'}, 200),
        ({"If-Unmodified-Since": "Fri, 27 Nov 2026 09:59:59 GMT"}, 412),
        ({"If-Unmodified-Since": MODIFIED}, 200),
    ],
)
async def test_a_dated_answer_is_read_conditionally(
    api: AsyncClient, sent: dict[str, str], status: int
) -> None:
    assert (await api.get("/dated", headers=sent)).status_code == status


def test_a_list_of_tags_without_end_costs_no_more_than_reading_it() -> None:
    assert judged({"if-none-match": '"a",' * 50_000 + "x"}, '"3"', None) == 200
    assert judged({"if-none-match": " \t," * 50_000 + "x"}, '"3"', None) == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; profile=x",
    ],
)
async def test_json_that_says_so_is_taken(api: AsyncClient, content_type: str) -> None:
    answer = await api.post("/consents", content=b'{"given": true}', headers={"Content-Type": content_type})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=euc-kr",
        "application/merge-patch+json",
        "application/json, text/plain",
        "text/json",
    ],
)
async def test_another_or_no_media_type_is_415(api: AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await api.post("/consents", content=b'{"given": true}', headers=headers)
    assert (answer.status_code, answer.headers["Accept-Post"]) == (415, "application/json")
    answer = await api.put("/consents", content=b'{"given": true}', headers=headers)
    assert (answer.status_code, answer.headers["Accept"]) == (415, "application/json")


async def test_a_patch_may_say_that_it_is_one(api: AsyncClient) -> None:
    for good in ("application/merge-patch+json", "application/json"):
        assert (
            await api.patch("/consents", content=b'{"given": true}', headers={"Content-Type": good})
        ).status_code == 200
    bad = await api.patch("/consents", content=b"[]", headers={"Content-Type": "application/json-patch+json"})
    assert (bad.status_code, bad.headers["Accept-Patch"]) == (
        415,
        "application/merge-patch+json, application/json",
    )


async def test_a_body_with_a_coding_is_415(api: AsyncClient) -> None:
    answer = await api.post("/consents", content=b"\x1f\x8b", headers={**JSON, "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")


async def test_no_body_needs_no_media_type(api: AsyncClient) -> None:
    assert (await api.post("/empty")).json() is True


def named(answer: Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["field"] for error in answer.json().get("errors", [])]


@pytest.mark.parametrize("value", ["1", "0", '"1"', '"true"', "1.0", "null", "[]", "{}", '"yes"'])
async def test_only_true_and_false_are_booleans(api: AsyncClient, value: str) -> None:
    answer = await api.post("/consents", content=f'{{"given": {value}}}', headers=JSON)
    assert named(answer) == ["given"]
    assert answer.json()["errors"][0]["message"] == "must be of the type boolean"


@pytest.mark.parametrize(
    "member",
    [
        '"count": "7"',
        '"count": 1.5',
        '"count": true',
        '"at": 0.5',
        '"at": 1',
        '"note": 1',
        '"more": ["1"]',
        '"count": 1e400',
        '"more": null',
    ],
)
async def test_nothing_is_taken_for_what_it_is_not(api: AsyncClient, member: str) -> None:
    answer = await api.post("/consents", content=f'{{"given": true, {member}}}', headers=JSON)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"given": true, "given": false}',
        b'{"given": true, "other": {"a": 1, "a": 1}}',
        b'{"given": true, "giv\\u0065n": false}',
        b'{"given": true, "x": NaN}',
        b'{"given": true, "x": Infinity}',
        b'{"given": true} {}',
        b'{"given": true},',
        b'\xef\xbb\xbf{"given": true}',
        b'{"given": true, "note": "\\ud800"}',
        b'{"given": true, "note": "\xed\xa0\x80"}',
        b'{"given": true, "note": "\xff"}',
        b'{"given": true, "note": "a\x00b"}',
        b'{"given": true, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"given": true, "x": 01}',
        b"{'given': true}",
        b'{"given": true, "count": ' + b"9" * 5000 + b"}",
        '{"given": true}'.encode("utf-16"),
    ],
)
async def test_json_that_two_readers_could_read_differently_is_refused(api: AsyncClient, body: bytes) -> None:
    answer = await api.post("/consents", content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert not any(word in answer.text for word in ("msgspec", "codec", "byte", "Expected `", "recursion"))


async def test_how_deep_json_may_nest_depends_on_no_interpreter(api: AsyncClient) -> None:
    for levels, status in ((99, 201), (100, 400)):
        for opening, closing in (("[", "]"), ('{"x":', "}")):
            inside = opening * levels + ("1" if closing == "}" else "") + closing * levels
            answer = await api.post("/consents", content=f'{{"given": true, "x": {inside}}}', headers=JSON)
            assert answer.status_code == status, (levels, opening)
    wide = "[" + ",".join(["[]"] * 1000) + "]"
    answer = await api.post("/consents", content=f'{{"given": true, "x": {wide}}}', headers=JSON)
    assert answer.status_code == 201


async def test_numbers_beyond_any_size_where_nobody_reads_them_do_no_harm(api: AsyncClient) -> None:
    body = b'{"given": true, "unknown": ' + b"9" * 5000 + b"}"
    assert (await api.post("/consents", content=body, headers=JSON)).status_code in (201, 400)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=1e1",
            "limit=%2B5",
            "limit=1_0",
            "limit=%2005",
            "limit=05",
            "limit=0x1",
            "limit=1.0",
            "limit=",
        ),
        *("limit=٣", "limit=-0.5", "limit=99999999999999999999", "limit=true", "limit=5%00"),
        *("created_from=0.5", "created_from=1", "created_from=2026-01-31", "created_from=1e9"),
        *("created_from=2026-01-31T09:30:00+09:00", "created_from=2026-13-31T09:30:00Z"),
        *("consented=1", "consented=0", "consented=True", "consented=yes", "consented=on", "consented="),
        *("colour=RED", "colour=blue", "colour="),
        *("owner=6f1c6a0e7a524a3c9a510c5d1b1f9a10", "owner=%7B" + ID + "%7D", "owner=urn:uuid:" + ID),
        *("q=a%00b", "q=%FF", "q=%ED%A0%80", "limit=5&limit=6", "q=a&q=a", "limt=5", "Limit=5", "limit[]=5"),
        "&".join(f"x{number}=1" for number in range(100)),
    ],
)
async def test_a_query_has_one_spelling(api: AsyncClient, query: str) -> None:
    answer = await api.get(f"/list?{query}")
    assert len(named(answer)) >= 1
    assert all("`" not in error["message"] for error in answer.json()["errors"]), answer.text


async def test_a_good_query_is_taken(api: AsyncClient) -> None:
    answer = await api.get(
        f"/list?limit=5&created_from=2026-01-31T09:30:00%2B09:00&consented=true&colour=red&q=%EA%B9%80&owner={ID}",
        headers={"X-Number": "7"},
    )
    assert answer.json() == [5, "2026-01-31T09:30:00+09:00", True, "red", "김", ID, 7]
    assert (await api.get("/list?&")).status_code == 200
    assert (await api.get("/list?created_from=2026-01-31t09:30:00.5z")).status_code == 200
    assert datetime.fromisoformat(
        (await api.get("/list?created_from=2026-01-31T09:30:00Z")).json()[1]
    ) == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


async def test_an_address_without_parameters_ignores_the_query(api: AsyncClient) -> None:
    assert (await api.get("/plain?utm_source=mail&_=1&%FF")).status_code == 200


@pytest.mark.parametrize("values", [["+5"], ["5_0"], ["1e1"], ["5", "6"], ["0x5"], [""]])
async def test_a_number_in_a_header_is_read_as_strictly(api: AsyncClient, values: list[str]) -> None:
    assert named(await api.get("/list", headers=[("X-Number", value) for value in values])) == ["X-Number"]


@pytest.mark.parametrize("spelt", [ID.replace("-", ""), f"%7B{ID}%7D", f"urn:uuid:{ID}"])
async def test_an_id_in_a_path_has_one_spelling(api: AsyncClient, spelt: str) -> None:
    assert (await api.get(f"/things/{spelt}")).status_code == 404
    assert (await api.get(f"/things/{ID.upper()}")).status_code == 200


@pytest.mark.parametrize("spelt", ["+7", "007", "1_0", "%201", "%D9%A1%D9%A2", "-0", "1e3", "9" * 5000])
async def test_a_number_in_a_path_has_one_spelling(api: AsyncClient, spelt: str) -> None:
    assert (await api.get(f"/numbered/{spelt}")).status_code == 404
    for number in ("7", "0", "-7", "12"):
        assert (await api.get(f"/numbered/{number}")).json() == int(number)


async def test_a_problems_type_leads_to_its_document(api: AsyncClient) -> None:
    for name, document in problem_documents.documents().items():
        answer = await api.get(f"/problems/{name}")
        assert (answer.status_code, answer.content) == (200, document)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        markdown = await api.get(f"/problems/{name}", headers={"Accept": "text/markdown, */*;q=0.1"})
        assert markdown.headers["Content-Type"] == "text/markdown; charset=utf-8"
    for path in ("/problems/nothing", "/problems/..", "/problems/%2e%2e%2fidempotency", "/problems/"):
        assert (await api.get(path)).status_code == 404


async def test_what_the_framework_refuses_has_the_rfcs_title(api: AsyncClient) -> None:
    answer = await api.post("/consents", content=b"x" * 1_100_000, headers=JSON)
    assert (answer.status_code, answer.json()["title"]) == (413, "Content Too Large")
