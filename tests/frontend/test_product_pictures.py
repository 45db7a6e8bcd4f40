"""Pictures of a product by form: what the catalog is sent, what is said of a file that is not taken, and the limits."""

import io
import json
from typing import Any

import aiohttp
from aiohttp import web

from tests.frontend.conftest import Front, Start
from tests.frontend.doubles import access_token
from tests.frontend.shopping import PAGE, look, send
from tests.frontend.test_products_admin import ID, PRODUCT

MIB = 1024 * 1024
HERE = f"/admin/products/{ID}/pictures"
HASHES = ("a" * 64, "b" * 64)
IMAGES = [
    {
        "position": place * 2,
        "hash": hash_,
        "width": 800,
        "height": 600,
        "widths": [320, 800],
        "alt": {"ko": "신발"},
    }
    for place, hash_ in enumerate(HASHES)
]


class Album:
    """The catalog's side: a product with two pictures, whose version each change moves."""

    def __init__(self, front: Front) -> None:
        self.version = 3
        self.images = [dict(image) for image in IMAGES]
        self.sent: list[Any] = []
        self.refusals: dict[bytes, tuple[int, dict[str, Any]]] = {}
        front.gateway.answer = self
        front.keep("/", access_token=access_token(roles=("admin",)))

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({**PRODUCT, "version": self.version, "images": self.images})
        body = await request.read()
        self.sent.append((request.method, request.path_qs.removeprefix(f"/api/products/{ID}/images/"), body))
        if body in self.refusals:
            status, members = self.refusals[body]
            return web.json_response({"detail": "Expected", **members}, status=status)
        if request.headers["If-Match"] != f'"{self.version}"':
            return web.json_response({}, status=412)
        self.version += 1
        return web.json_response({}) if request.method != "DELETE" else web.Response(status=204)


async def upload(front: Front, *files: tuple[str, bytes], **fields: str) -> tuple[int, str, str]:
    form = aiohttp.FormData()
    for name, text in {"version": "3", "place": "3", **fields}.items():
        form.add_field(name, text)
    for name, content in files:
        form.add_field("file", io.BytesIO(content), filename=name, content_type="image/png")
    async with front.browser.post(front.url + HERE, data=form, headers=PAGE, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def test_files_go_after_the_last_picture_each_at_its_version(front: Front) -> None:
    album = Album(front)
    files = ("one.png", b"1" * MIB), ("two.png", b"2")
    assert (await upload(front, *files, alt_en="A shoe"))[:2] == (303, f"{HERE}?done=pictured")
    assert [(method, target, len(body)) for method, target, body in album.sent] == [
        ("PUT", "3?alt_en=A+shoe", MIB),
        ("PUT", "4?alt_en=A+shoe", 1),
    ]


async def test_a_form_that_is_sent_twice_is_one_request(front: Front) -> None:
    album = Album(front)
    key = "11111111-2222-4333-8444-555555555555"
    keys = []
    for version in (3, 3):
        album.version = version
        await upload(front, ("one.png", b"1"), idempotency_key=key)
        keys.append(front.gateway.seen[-1].headers["Idempotency-Key"])
    assert keys[0] == keys[1]


async def test_somebody_elses_change_does_not_keep_a_new_picture_out(front: Front) -> None:
    album = Album(front)
    album.version = 7
    assert (await upload(front, ("one.png", b"1")))[0] == 303
    assert [target for _, target, _ in album.sent] == ["3", "3"]


async def test_a_file_that_is_too_large_is_read_to_its_end_and_said_with_what_to_do(front: Front) -> None:
    album = Album(front)
    files = ("big.png", b"x" * (MIB + 1)), ("fine.png", b"1"), ("huge.png", b"x" * (4 * MIB))
    status, _, html = await upload(front, *files)
    assert (status, [target for _, target, _ in album.sent]) == (422, ["3"])
    assert "<strong>big.png</strong>: The file is larger than 1 MB. Please make" in html
    assert "huge.png" in html and "The others, 1, are saved." in html


async def test_each_reason_of_the_catalog_has_a_sentence_that_says_what_to_do(front: Front) -> None:
    album = Album(front)
    codes = (
        "not_a_picture",
        "animated",
        "too_many_pixels",
        "too_small",
        "broken",
        "too_costly",
        "of_a_newer_one",
    )
    album.refusals = {code.encode(): (422, {"code": code}) for code in codes}
    status, _, html = await upload(front, *((f"{code}.png", code.encode()) for code in codes))
    assert status == 422 and "Expected" not in html
    for sentence in (
        "such as HEIC",
        "still picture",
        "1,600 pixels",
        "800 pixels wide",
        "damaged",
        "too complicated",
    ):
        assert sentence in html
    assert html.count("such as HEIC") == 2, "what is not known is said as well as can be"


async def test_a_picture_is_replaced_only_while_it_stands_there(front: Front) -> None:
    album = Album(front)
    replacing = {"replaces": f"2-{HASHES[1]}", "place": "2"}
    assert (await upload(front, ("new.png", b"1"), **replacing))[0] == 303
    assert [target for _, target, _ in album.sent] == ["2?alt_ko=%EC%8B%A0%EB%B0%9C"], (
        "it keeps its description"
    )
    album.images[1]["hash"] = "c" * 64
    status, _, html = await upload(front, ("new.png", b"1"), **replacing)
    assert (status, "Somebody else changed this picture" in html, len(album.sent)) == (422, True, 2)


async def test_pictures_are_described_moved_and_removed_one_form_each(front: Front) -> None:
    album = Album(front)

    async def act(place: int, action: str, **fields: str) -> tuple[int, str]:
        form = {"position": str(IMAGES[place]["position"]), "action": action, **fields}
        return (await send(front, f"{HERE}/{HASHES[place]}", form))[:2]

    assert await act(0, "describe", alt_ko="", alt_en="A shoe") == (303, f"{HERE}?done=pictured")
    assert await act(1, "earlier") == (303, f"{HERE}?done=pictured")
    assert await act(0, "move", to="1") == (303, f"{HERE}?done=pictured")
    assert await act(0, "remove") == (303, f"{HERE}?done=unpictured")
    for action, to in (("earlier", ""), ("move", "7"), ("move", "x"), ("move", "0")):
        assert (await act(0, action, to=to))[0] == 303
    assert [(method, target, json.loads(body or b"null")) for method, target, body in album.sent] == [
        ("PATCH", "0", {"alt": {"ko": None, "en": "A shoe"}}),
        ("PATCH", "2", {"position": 0}),
        ("PATCH", "0", {"position": 2}),
        ("DELETE", "0", None),
    ]
    album.images = album.images[1:]
    status, _, html = await send(front, f"{HERE}/{HASHES[0]}", {"position": "0", "action": "remove"})
    assert (status, "Somebody else changed this picture" in html, len(album.sent)) == (412, True, 4)


async def test_a_description_that_is_none_is_said_beside_its_field(front: Front) -> None:
    album = Album(front)
    wanted = json.dumps(
        {"alt": {"ko": "\u3164", "en": None}}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    album.refusals = {
        wanted: (400, {"errors": [{"field": "alt_ko", "code": "blank", "message": "Expected"}]})
    }
    form = {"position": "0", "action": "describe", "alt_ko": "\u3164"}
    status, _, html = await send(front, f"{HERE}/{HASHES[0]}", form)
    assert (status, "spaces alone are not enough" in html, "Expected" in html) == (400, True, False)
    assert 'aria-describedby="e-0-ko"' in html


async def test_only_forms_with_files_are_taken_and_only_from_this_site_and_administrators(
    front: Front,
) -> None:
    album = Album(front)
    assert (await send(front, HERE, {"version": "3"}))[0] == 415
    assert (await upload(front, ("", b"")))[0] == 400
    assert (await upload(front, *((f"{number}.png", b"1") for number in range(11))))[0] == 413
    headers = {**PAGE, "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x\r\nbroken", b"--y--", b""):
        async with front.browser.post(front.url + HERE, data=body, headers=headers) as answer:
            assert answer.status == 400
    foreign = {**PAGE, "Sec-Fetch-Site": "cross-site"}
    async with front.browser.post(
        front.url + HERE, data=aiohttp.FormData({"a": "b"}), headers=foreign
    ) as answer:
        assert answer.status == 403
    front.keep("/", access_token=access_token())
    assert (await look(front, HERE))[0] == 403
    assert (await upload(front, ("one.png", b"1")))[0] == 403
    assert album.sent == []


async def test_a_body_beyond_the_edges_bound_is_413(start: Start) -> None:
    front: Front = await start(max_body=3 * MIB)
    album = Album(front)
    status, _, _ = await upload(front, ("huge.png", b"x" * (4 * MIB)))
    assert (status, album.sent) == (413, [])
