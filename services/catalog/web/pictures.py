"""`/api/products/{id}/images/{position}` and `/media/…`."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, PathParameter, QueryParameter

from common import visible_text
from common.field_codes import InvalidValue
from services.catalog.application.pictures import Media, PictureService
from services.catalog.domain.errors import InvalidProduct
from services.catalog.domain.pictures import MAX_POSITION
from services.chassis import preconditions
from services.chassis.errors import NotFound
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.problems import documented

ADMIN = "admin"
MAX_ALT = 200

Position = Annotated[int, PathParameter(ge=0, le=MAX_POSITION, description="0 is the main image.")]
Alt = Annotated[
    str | None,
    QueryParameter(
        description=f"What is to be seen on it, for who cannot see it; at most {MAX_ALT} characters."
    ),
]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match", description="The product's ETag that you read, or `*`.", max_length=1024
    ),
]
FOREVER = "public, max-age=31536000, immutable"


class ImageBody(msgspec.Struct, frozen=True):
    """An image of a product. `sources` are WebP files by their width in pixels."""

    position: int
    width: int
    height: int
    sources: dict[str, str]
    alt: dict[str, str]


class ImagesController(Controller):
    path = "/api/products/{product_id:uuid}/images/{position:int}"
    tags = ("pictures",)
    security = ({"bearer": []},)

    @put(
        operation_id="putProductImage",
        summary="Show a picture at a position of a product",
        description="The body is the file: JPEG, PNG or WebP, 1 MiB at most.",
        roles=(ADMIN,),
        responses={
            200: ResponseSpec(
                ImageBody, description="It is shown; ETag is the product's.", generate_examples=False
            ),
            **documented(400, 401, 403, 404, 412, 413, 422, 428, 503),
        },
    )
    @idempotent
    async def put_image(
        self,
        *,
        request: CallerRequest,
        product_id: FromPath[UUID],
        position: Position,
        pictures: NamedDependency[PictureService],
        media_base: NamedDependency[str],
        alt_ko: Alt = None,
        alt_en: Alt = None,
        if_match: IfMatch = None,
    ) -> Response[ImageBody]:
        versions = preconditions.versions(if_match)
        alt = {language: text for language, text in (("ko", alt_ko), ("en", alt_en)) if text}
        _check(alt)
        image, version = await pictures.put(product_id, versions, position, await request.body(), alt)
        body = ImageBody(
            image.position,
            image.width,
            image.height,
            sources(media_base, image.hash, image.widths),
            dict(image.alt),
        )
        return Response(body, headers={"ETag": preconditions.etag(version)})

    @delete(
        operation_id="deleteProductImage",
        summary="Show no picture at a position of a product",
        roles=(ADMIN,),
        responses={
            204: ResponseSpec(None, description="Done.", generate_examples=False),
            **documented(400, 401, 403, 404, 412, 428, 503),
        },
    )
    @idempotent
    async def delete_image(
        self,
        *,
        request: CallerRequest,
        product_id: FromPath[UUID],
        position: Position,
        pictures: NamedDependency[PictureService],
        if_match: IfMatch = None,
    ) -> Response[None]:
        version = await pictures.delete(product_id, preconditions.versions(if_match), position)
        return Response(None, status_code=204, headers={"ETag": preconditions.etag(version)})


@get(
    "/media/{name:str}",
    public=True,
    operation_id="getMedia",
    summary="A picture's file",
    tags=["pictures"],
    security=[{}],
    responses={
        200: ResponseSpec(
            bytes,
            description="WebP; its name says its content.",
            media_type="image/webp",
            generate_examples=False,
        ),
        **documented(404, 503),
    },
)
async def get_media(name: FromPath[str], media: NamedDependency[Media]) -> Response[bytes]:
    content = await media.get(name)
    if content is None:
        raise NotFound("There is no such picture.")
    headers = {
        "Cache-Control": FOREVER,
        "ETag": f'"{name.removesuffix(".webp")}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="image/webp", headers=headers)


def sources(media_base: str, hash_: str, widths: tuple[int, ...]) -> dict[str, str]:
    """The address of each width. `media_base`: empty, or the origin of a CDN (`MEDIA_ORIGIN`)."""
    return {str(width): f"{media_base}/media/{hash_}-{width}.webp" for width in widths}


def _check(alt: dict[str, str]) -> None:
    faults = {}
    for language, text in alt.items():
        try:
            alt[language] = visible_text.line(text, MAX_ALT)
        except InvalidValue as fault:
            faults[f"alt_{language}"] = fault
    if faults:
        raise InvalidProduct(faults)
