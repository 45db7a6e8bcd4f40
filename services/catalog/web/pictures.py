"""`/api/products/{id}/images/{position}` and `/media/…`."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from common import visible_text
from common.field_codes import InvalidValue
from services.catalog.domain.errors import InvalidProduct
from services.catalog.domain.pictures import MAX_POSITION
from services.catalog.domain.products import Image
from services.catalog.web.parts import Parts
from services.chassis import preconditions
from services.chassis.errors import NotFound
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.problems import documented

ADMIN = "admin"
MAX_ALT = 200
FOREVER = "public, max-age=31536000, immutable"

Position = Annotated[int, PathParameter(ge=0, le=MAX_POSITION, description="0 is the main image.")]
AltKo = Annotated[
    str | None,
    QueryParameter(name="alt_ko", max_length=MAX_ALT, description="What is to be seen, in Korean."),
]
AltEn = Annotated[
    str | None,
    QueryParameter(name="alt_en", max_length=MAX_ALT, description="What is to be seen, in English."),
]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match", description="The product's ETag that you read, or `*`.", max_length=1024
    ),
]


class ImageDocument(msgspec.Struct, frozen=True):
    """An image of a product: `/media/{hash}-{width}.webp` is the picture in one of its `widths`, in pixels."""

    position: int
    hash: str
    width: int
    height: int
    widths: list[int]
    alt: dict[str, str]


class AltPatch(msgspec.Struct, frozen=True):
    """What is to be seen, by language; null takes a language away."""

    ko: str | UnsetType | None = UNSET
    en: str | UnsetType | None = UNSET

    def given(self) -> dict[str, str | None]:
        both = {"ko": self.ko, "en": self.en}
        return {language: text for language, text in both.items() if text is not UNSET}


class ImagePatch(msgspec.Struct, frozen=True):
    """A merge patch: the picture takes `position`, and those between make room."""

    position: Annotated[int, Meta(ge=0, le=MAX_POSITION)] | UnsetType = UNSET
    alt: AltPatch | UnsetType = UNSET


class ImagesController(Controller):
    path = "/api/products/{product_id:uuid}/images/{position:int}"
    tags = ("pictures",)
    security = ({"bearer": []},)

    @put(
        operation_id="putProductImage",
        summary="Show a picture at a position of a product",
        description="The body is the file: JPEG, PNG or WebP, at most 1 MiB.",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 404, 412, 413, 422, 428, 503),
    )
    @idempotent
    async def put_image(
        self,
        *,
        request: CallerRequest,
        product_id: FromPath[UUID],
        position: Position,
        catalog: Injected[Parts],
        alt_ko: AltKo = None,
        alt_en: AltEn = None,
        if_match: IfMatch = None,
    ) -> Response[ImageDocument]:
        versions = preconditions.versions(if_match)
        alt = _alt({"ko": alt_ko, "en": alt_en})
        image, version = await catalog.pictures.put(product_id, versions, position, await request.body(), alt)
        return _document(image, version)

    @patch(
        operation_id="patchProductImage",
        summary="Move a picture of a product, or say otherwise what is to be seen (RFC 7396)",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 404, 412, 413, 422, 428, 503),
    )
    @idempotent
    async def patch_image(
        self,
        *,
        request: CallerRequest,
        product_id: FromPath[UUID],
        position: Position,
        catalog: Injected[Parts],
        data: JSONBody[ImagePatch],
        if_match: IfMatch = None,
    ) -> Response[ImageDocument]:
        versions = preconditions.versions(if_match)
        given = {} if data.alt is UNSET else data.alt.given()
        alt = {**given, **_alt(given)}
        to = position if data.position is UNSET else data.position
        image, version = await catalog.pictures.change(product_id, versions, position, to, alt)
        return _document(image, version)

    @delete(
        operation_id="deleteProductImage",
        summary="Show no picture at a position of a product",
        roles=(ADMIN,),
        responses={
            204: ResponseSpec(None, description="Done.", generate_examples=False),
            **documented(400, 401, 403, 404, 412, 413, 422, 428, 503),
        },
    )
    @idempotent
    async def delete_image(
        self,
        *,
        request: CallerRequest,
        product_id: FromPath[UUID],
        position: Position,
        catalog: Injected[Parts],
        if_match: IfMatch = None,
    ) -> Response[None]:
        version = await catalog.pictures.delete(product_id, preconditions.versions(if_match), position)
        return Response(None, status_code=204, headers={"ETag": preconditions.etag(version)})


@get(
    "/media/{name:str}",
    public=True,
    operation_id="getMedia",
    summary="A picture's file; its name says its content",
    tags=["pictures"],
    security=[{}],
    responses={
        200: ResponseSpec(bytes, description="WebP.", media_type="image/webp", generate_examples=False),
        **documented(404, 503),
    },
)
async def get_media(name: FromPath[str], catalog: Injected[Parts]) -> Response[bytes]:
    content = await catalog.media.get(name)
    if content is None:
        raise NotFound("There is no such picture.")
    headers = {
        "Cache-Control": FOREVER,
        "ETag": f'"{name.removesuffix(".webp")}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="image/webp", headers=headers)


def _document(image: Image, version: int) -> Response[ImageDocument]:
    document = ImageDocument(
        image.position, image.hash, image.width, image.height, list(image.widths), dict(image.alt)
    )
    return Response(document, headers={"ETag": preconditions.etag(version)})


def _alt(given: Mapping[str, str | None]) -> dict[str, str]:
    """The texts that were given, in their stored form. Raises InvalidProduct, which names each that is none."""
    alt, faults = {}, {}
    for language, text in given.items():
        if text is None:
            continue
        try:
            alt[language] = visible_text.line(text, MAX_ALT)
        except InvalidValue as fault:
            faults[f"alt_{language}"] = fault
    if faults:
        raise InvalidProduct(faults)
    return alt
