"""`/api/products/{…}`: a product's page for anybody, and everything that administrators do with products."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from services.catalog.application.stock import StockTotals
from services.catalog.domain import search, values
from services.catalog.domain.errors import UnknownProduct
from services.catalog.domain.products import Content, Product, Status
from services.catalog.web.parts import Parts
from services.catalog.web.schemas import ListedProduct, NewProduct, ProductDocument, ProductPatch
from services.catalog.web.shop import PublicProducts, product_page, query_words
from services.catalog.web.shop_views import Lang, Language, ProductPage
from services.chassis import pages, preconditions
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented

ADMIN = "admin"

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The ETag that you read, or `*`.", max_length=1024),
]

EMPTY = ResponseSpec(None, description="Done; there is nothing more to say.", generate_examples=False)
CHANGE_REFUSALS = documented(400, 401, 403, 404, 409, 412, 413, 422, 428, 503)
_CREATED = "-created_at"


def _is_page(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """No slug looks like an id, so an id asks for the document, which is the administrators'."""
    return _id(connection.path_params["product"]) is None


class ProductsController(PublicProducts):
    path = "/api/products"
    tags = ("products",)

    @get(
        "/documents",
        operation_id="listProductDocuments",
        summary="All products with all their texts, the newest first",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=documented(400, 401, 403, 503),
    )
    async def list_documents(
        self,
        *,
        catalog: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        status: Annotated[
            Status | None, QueryParameter(name="status", description="Only products of this status.")
        ] = None,
        q: Annotated[
            str | None,
            QueryParameter(name="q", max_length=search.MAX_QUERY, description="As in the public list."),
        ] = None,
        category: Annotated[
            UUID | None,
            QueryParameter(name="category", description="Only products of it or of one below it."),
        ] = None,
    ) -> Page[ListedProduct]:
        categories = None if category is None else (await catalog.categories.tree()).below(category)
        # One more than asked for shows whether there is a next page.
        found = await catalog.products.page(status, query_words(q), categories, limit + 1, _after(cursor))
        shown = found[:limit]
        following = None
        if len(found) > limit:
            following = pages.encode(_CREATED, shown[-1].created_at, shown[-1].id)
        totals = await catalog.stock.totals([product.id for product in shown])
        return Page(
            [ListedProduct.listed(product, totals.get(product.id, StockTotals())) for product in shown],
            following,
        )

    @get(
        "/{product:str}",
        public=_is_page,
        roles=(ADMIN,),
        operation_id="getProduct",
        summary="A product's page by its slug; the document by its id, for administrators",
        responses={
            200: ResponseSpec(
                ProductPage | ProductDocument,  # type: ignore[arg-type]
                description="The page of a product for sale, or the document.",
                generate_examples=False,
            ),
            304: ResponseSpec(
                None, description="The caller has it already (If-None-Match).", generate_examples=False
            ),
            **documented(400, 401, 403, 404, 503),
        },
    )
    async def get_product(
        self,
        *,
        request: Request[Any, Any, Any],
        product: FromPath[str],
        catalog: Injected[Parts],
        lang: Lang = Language.KO,
    ) -> Response[Any]:
        id_ = _id(product)
        if id_ is not None:
            return document(await catalog.products.get(id_))
        return await product_page(request, product, lang.value, catalog)

    @post(
        operation_id="createProduct",
        summary="Make a product",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=documented(400, 401, 403, 409, 413, 422, 503),
    )
    @idempotent
    async def create_product(
        self,
        *,
        request: CallerRequest,
        catalog: Injected[Parts],
        data: JSONBody[NewProduct],
    ) -> Response[ProductDocument]:
        product = await catalog.products.create(data.content())
        return document(product, 201, {"Location": f"/api/products/{product.id}"})

    @put(
        "/{product:str}",
        operation_id="replaceProduct",
        summary="Replace a product's content",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def replace_product(
        self,
        *,
        request: CallerRequest,
        product: FromPath[str],
        catalog: Injected[Parts],
        data: JSONBody[NewProduct],
        if_match: IfMatch = None,
    ) -> Response[ProductDocument]:
        def replaced(_: Content) -> Content:
            return data.content()

        versions = preconditions.versions(if_match)
        return document(await catalog.products.change(_known(product), versions, replaced))

    @patch(
        "/{product:str}",
        operation_id="patchProduct",
        summary="Change some of a product (RFC 7396)",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def patch_product(
        self,
        *,
        request: CallerRequest,
        product: FromPath[str],
        catalog: Injected[Parts],
        data: JSONBody[ProductPatch],
        if_match: IfMatch = None,
    ) -> Response[ProductDocument]:
        versions = preconditions.versions(if_match)
        return document(await catalog.products.change(_known(product), versions, data.apply))

    @delete(
        "/{product:str}",
        operation_id="deleteProduct",
        summary="Delete a product with its variants",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses={204: EMPTY, **CHANGE_REFUSALS},
    )
    @idempotent
    async def delete_product(
        self,
        *,
        request: CallerRequest,
        product: FromPath[str],
        catalog: Injected[Parts],
        if_match: IfMatch = None,
    ) -> Response[None]:
        await catalog.products.delete(_known(product), preconditions.versions(if_match))
        return Response(None, status_code=204)


def document(
    product: Product, status: int = 200, headers: dict[str, str] | None = None
) -> Response[ProductDocument]:
    return Response(
        ProductDocument.of(product),
        status_code=status,
        headers={
            "ETag": preconditions.etag(product.version),
            "Cache-Control": "private, no-cache",
            **(headers or {}),
        },
    )


def _id(text: str) -> UUID | None:
    """None for what may be a slug: a UUID has other spellings, without hyphens or with more of them."""
    return UUID(text) if values.is_id(text) else None


def _known(text: str) -> UUID:
    """The id of the product to be changed. Raises UnknownProduct: a slug names a page, and pages are not changed."""
    id_ = _id(text)
    if id_ is None:
        raise UnknownProduct
    return id_


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    return None if cursor is None else pages.decode(cursor, _CREATED, datetime)
