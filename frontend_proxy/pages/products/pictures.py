"""/admin/products/{id}/pictures: which pictures a product shows, in which order, and what is to be seen on them.

A picture is known by its place and its hash: a change that was asked of a picture is not made to another that stands
there by now.
"""

import uuid
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, profiles, uploads
from frontend_proxy.pages.backend import RawBody
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.products.draft import LANGUAGES, title
from frontend_proxy.pages.products.listing import HERE, find
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.pages.translator import Translator
from frontend_proxy.pages.uploads import File

MOST = 20
TRIES = 3
"""How often a change is tried again at the product's next version."""
TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})


class Refused(NamedTuple):
    """A file that was not taken, and what to do about it."""

    name: str
    text: str


class ProductPictures(Controller):
    """A product's pictures; every change is a form of its own."""

    path = f"{HERE}/{{product_id:uuid}}/pictures"

    @get("/")
    async def show(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        product_id: FromPath[UUID],
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        return _page(site, admin, await find(site, admin, product_id), done=done)

    @post("/")
    async def add(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, product_id: FromPath[UUID]
    ) -> ASGIResponse:
        """Adds files after the last picture, or puts one in the place of `replaces`."""
        form, files = await uploads.read(request)
        product = await find(site, admin, product_id)
        translator = site.views.translator(admin)
        if not files:
            return _page(site, admin, product, status=400, fault=translator.t("products.picture_none"))
        refused: list[Refused] = []
        for number, file in enumerate(files):
            text = await _put(site, admin, product, form, number, number - len(refused), file)
            if text:
                refused.append(Refused(file.name, text))
        if refused:
            product = await find(site, admin, product_id)
            return _page(site, admin, product, status=422, refused=refused, taken=len(files) - len(refused))
        return redirect(f"{HERE}/{product_id}/pictures?done=pictured")

    @post("/{hash_:str}")
    async def change(
        self,
        request: PageRequest,
        site: InjectedSite,
        admin: InjectedPageContext,
        product_id: FromPath[UUID],
        hash_: FromPath[str],
    ) -> ASGIResponse:
        """Describes, moves or removes the picture that the page showed at `position`."""
        form = await forms.read(request)
        translator = site.views.translator(admin)
        for _ in range(TRIES):
            product = await find(site, admin, product_id)
            place = next(
                (
                    place
                    for place, image in enumerate(product["images"])
                    if image["hash"] == hash_ and str(image["position"]) == form.text("position")
                ),
                None,
            )
            if place is None:
                return _page(site, admin, product, status=412, fault=translator.t("products.picture_stale"))
            answer = await _apply(site, admin, product, place, form)
            if answer is None or answer.status != 412:
                break
        if answer is not None and answer.status == 400:
            errors = {
                f"{field}_{hash_}": translator.field_error(*error)
                for field, error in forms.field_errors(answer).items()
            }
            return _page(site, admin, product, status=400, errors=errors, typed={hash_: form})
        if answer is not None:
            require_status(answer, 200, 204)
        done = "unpictured" if form.text("action") == "remove" else "pictured"
        return redirect(f"{HERE}/{product_id}/pictures?done={done}")


async def _put(
    site: Site,
    admin: PageContext,
    product: dict[str, Any],
    form: Form,
    number: int,
    taken: int,
    file: File,
) -> str:
    """Shows `file`, the form's so-manieth, on the product after `taken` others. Returns what to say where it is not
    taken, else nothing."""
    translator = site.views.translator(admin)
    if file.content is None:
        return translator.t("products.picture_too_big")
    if not file.content:
        return translator.t("products.picture_not_a_picture")
    key = uuid.uuid5(UUID(form.key), str(number))
    alt = {f"alt_{each}": text for each in LANGUAGES if (text := form.text(f"alt_{each}"))}
    media_type = file.media_type if file.media_type in TYPES else "application/octet-stream"
    # First as the page showed it, so that a form that is sent twice is one request; each picture is a version.
    replaces = form.text("replaces")
    version, place = profiles.version(form) + taken, _number(form.text("place"))
    if replaces:
        kept: dict[str, str] = next(
            (each["alt"] for each in product["images"] if each["position"] == place), {}
        )
        alt = {f"alt_{language}": text for language, text in kept.items()} | alt
    else:
        place += taken
    for turn in range(TRIES):
        if turn or not 0 <= place < MOST:
            product = await find(site, admin, UUID(product["id"]))
            version = product["version"]
            if not replaces:
                place = _free(product)
            elif not any(_place(each) == replaces for each in product["images"]):
                return translator.t("products.picture_stale")
        if place < 0:
            return translator.t("products.picture_too_many", most=MOST)
        answer = await site.backend.call(
            admin,
            "PUT",
            f"/api/products/{product['id']}/images/{place}",
            RawBody(media_type, file.content),
            query=alt or None,
            headers={"If-Match": f'"{version}"', "Idempotency-Key": str(uuid.uuid5(key, str(version)))},
        )
        if answer.status != 412:
            break
    return "" if answer.status == 200 else _sentence(translator, answer)


async def _apply(
    site: Site, admin: PageContext, product: dict[str, Any], place: int, form: Form
) -> Answer | None:
    """None where there is nothing to do: the first picture cannot come earlier."""
    images = product["images"]
    image = images[place]
    path = f"/api/products/{product['id']}/images/{image['position']}"
    headers = {"If-Match": f'"{product["version"]}"'}
    action = form.text("action")
    if action == "remove":
        return await site.backend.call(admin, "DELETE", path, headers=headers)
    if action in {"earlier", "later", "move"}:
        step = {"earlier": place - 1, "later": place + 1}.get(action, _number(form.text("to")))
        if not 0 <= step < len(images) or step == place:
            return None
        body: dict[str, Any] = {"position": images[step]["position"]}
    else:
        body = {"alt": {language: form.text(f"alt_{language}") or None for language in LANGUAGES}}
    return await site.backend.call(admin, "PATCH", path, body, headers=headers)


def _sentence(translator: Translator, answer: Answer) -> str:
    """Why a file was refused, and what to do. Raises Problem where it was something else."""
    if answer.status == 413:
        return translator.t("products.picture_too_big")
    if answer.status == 422:
        code = str(answer.document().get("code", ""))
        return translator.known(f"products.picture_{code}", translator.t("products.picture_not_a_picture"))
    for error in forms.field_errors(answer).values():
        return translator.field_error(*error)
    require_status(answer, 200)
    return ""


def _free(product: dict[str, Any]) -> int:
    """The place after the last picture, else the first that is free; -1 where all are taken."""
    taken = {image["position"] for image in product["images"]}
    after = max(taken, default=-1) + 1
    return after if after < MOST else next((place for place in range(MOST) if place not in taken), -1)


def _place(image: dict[str, Any]) -> str:
    return f"{image['position']}-{image['hash']}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1


def _page(
    site: Site,
    admin: PageContext,
    product: dict[str, Any],
    *,
    status: int = 200,
    fault: str | None = None,
    refused: list[Refused] | None = None,
    taken: int = 0,
    errors: dict[str, str] | None = None,
    typed: dict[str, Form] | None = None,
    done: str = "",
) -> ASGIResponse:
    images = [
        {
            **image,
            "place": _place(image),
            "typed": {
                language: (typed or {})[image["hash"]].text(f"alt_{language}")
                if image["hash"] in (typed or {})
                else image["alt"].get(language, "")
                for language in LANGUAGES
            },
            "shown": {
                **image,
                "alt": image["alt"].get(admin.language) or next(iter(image["alt"].values()), ""),
            },
        }
        for image in product["images"]
    ]
    return site.views.page(
        admin,
        "products/pictures.html",
        status=status,
        product=product,
        title=title(product, admin.language),
        images=images,
        room=MOST - len(images),
        place=_free(product),
        largest=uploads.MAX_FILE,
        most_files=uploads.MAX_FILES,
        fault=fault,
        refused=refused or [],
        taken=taken,
        errors=errors or {},
        done=done,
    )
