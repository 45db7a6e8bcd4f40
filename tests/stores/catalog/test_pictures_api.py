"""Pictures over HTTP: an administrator shows one on a product, anybody looks at it."""

import io
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import Image

from services.catalog.settings import Settings
from tests.stores.catalog.shop import ShopApi


def file(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), colour).save(out, "PNG")
    return out.getvalue()


async def put(api: ShopApi, product: dict[str, Any], data: bytes, position: int = 0, key: str = "") -> Any:
    return await api.client.put(
        f"/api/products/{product['id']}/images/{position}",
        content=data,
        headers={**api.admin, "Content-Type": "image/png", "If-Match": f'"{product["version"]}"'}
        | ({"Idempotency-Key": key} if key else {}),
        params={"alt_ko": "청록색 신발"},
    )


async def test_a_picture_is_shown_to_anybody_in_its_widths(api: ShopApi) -> None:
    product = await api.product(await api.category(), "teal-shoes")
    answer = await put(api, product, file())
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{product["version"] + 1}"')
    page = (await api.client.get("/api/products/teal-shoes")).json()
    (image,) = page["images"]
    assert (image["widths"], image["alt"]) == ([320, 800, 900], "청록색 신발")
    shown = await api.client.get(f"/media/{image['hash']}-320.webp")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    with Image.open(io.BytesIO(shown.content)) as rendition:
        assert rendition.width == 320
    again = await api.client.get(
        f"/media/{image['hash']}-320.webp", headers={"If-None-Match": shown.headers["etag"]}
    )
    assert again.status_code == 304


async def test_a_file_that_is_no_picture_is_422_and_says_why(api: ShopApi) -> None:
    product = await api.product(await api.category(), "broken")
    answer = await put(api, product, b"<svg onload='alert(1)'/>")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_picture")
    assert (await api.client.get("/api/products/broken")).json()["images"] == []


async def test_an_old_version_of_the_product_is_412_and_without_one_428(api: ShopApi) -> None:
    product = await api.product(await api.category(), "versions")
    assert (await put(api, {**product, "version": 99}, file())).status_code == 412
    without = await api.client.put(
        f"/api/products/{product['id']}/images/0",
        content=file(),
        headers={**api.admin, "Content-Type": "image/png"},
    )
    assert without.status_code == 428


async def test_a_repeat_with_the_same_key_shows_it_once(api: ShopApi) -> None:
    product = await api.product(await api.category(), "keyed")
    first = await put(api, product, file(), key="picture-1")
    again = await put(api, product, file(), key="picture-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]


async def test_positions_are_bounded_and_a_picture_can_be_taken_away(api: ShopApi) -> None:
    product = await api.product(await api.category(), "positions")
    assert (await put(api, product, file(), position=20)).status_code in {400, 404}
    assert (await put(api, product, file(), position=19)).status_code == 200
    changed = {**api.admin, "If-Match": f'"{product["version"] + 1}"'}
    gone = await api.client.delete(f"/api/products/{product['id']}/images/19", headers=changed)
    assert gone.status_code == 204
    assert (await api.client.get("/api/products/positions")).json()["images"] == []


async def test_nobody_but_administrators_changes_pictures(api: ShopApi) -> None:
    product = await api.product(await api.category(), "guarded")
    answer = await api.client.put(f"/api/products/{product['id']}/images/0", content=file())
    assert answer.status_code == 401


async def test_a_picture_that_is_not_there_is_404(api: ShopApi) -> None:
    for name in (f"{'0' * 32}-320.webp", "..%2fsecret", "x"):
        assert (await api.client.get(f"/media/{name}")).status_code == 404


async def test_without_its_store_the_catalog_sells_on_and_says_what_is_down(
    api: ShopApi, settings: Settings
) -> None:
    product = await api.product(await api.category(), "sold-without-picture")
    store = Path(url2pathname(urlsplit(settings.media_url).path))
    shutil.rmtree(store)
    store.write_text("no directory any more")
    assert (await put(api, product, file())).status_code == 503
    assert (await api.client.get(f"/media/{'0' * 32}-320.webp")).status_code == 503
    ready = await api.client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["media"]) == (503, "down")
    assert (await api.client.get("/api/products/sold-without-picture")).status_code == 200


async def test_a_picture_moves_and_those_between_make_room(api: ShopApi) -> None:
    product = await api.product(await api.category(), "album")
    for position, colour in ((0, "teal"), (1, "red"), (3, "blue")):
        await put(api, product, file(colour), position)
        product = (await api.client.get(f"/api/products/{product['id']}", headers=api.admin)).json()
    first, second, third = (image["hash"] for image in product["images"])

    async def patch(position: int, body: dict[str, Any], version: int) -> Any:
        return await api.client.patch(
            f"/api/products/{product['id']}/images/{position}",
            json=body,
            headers={**api.admin, "If-Match": f'"{version}"'},
        )

    async def shown() -> list[tuple[int, str, dict[str, str]]]:
        found = (await api.client.get(f"/api/products/{product['id']}", headers=api.admin)).json()
        return [(image["position"], image["hash"], image["alt"]) for image in found["images"]]

    said = {"ko": "청록색 신발"}
    answer = await patch(3, {"position": 0, "alt": {"ko": None, "en": " A  blue one "}}, product["version"])
    assert (answer.status_code, answer.json()["position"]) == (200, 0)
    assert await shown() == [(0, third, {"en": "A blue one"}), (1, first, said), (2, second, said)]
    version = product["version"] + 1
    assert answer.headers["ETag"] == f'"{version}"'
    assert (await patch(0, {"position": 2}, version)).status_code == 200
    assert [hash_ for _, hash_, _ in await shown()] == [first, second, third]
    assert (await patch(0, {"position": 2}, version)).status_code == 412
    assert (await patch(7, {"position": 2}, version + 1)).status_code == 404
    blank = await patch(0, {"alt": {"ko": "\u3164"}}, version + 1)
    assert (blank.status_code, blank.json()["errors"][0]["field"]) == (400, "alt_ko")
    assert (await patch(0, {"position": 20}, version + 1)).status_code == 400
