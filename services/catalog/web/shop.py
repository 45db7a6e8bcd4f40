"""What anybody may read: `/api/products`, `/api/products/{slug}`, `/api/products/suggestions`, `/api/categories`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from common.field_codes import InvalidValue
from services.catalog.application.ports import Card, Filters, ListQuery, Sort
from services.catalog.domain import search, values
from services.catalog.domain.errors import UnknownProduct
from services.catalog.domain.products import localised
from services.catalog.web.caching import answer
from services.catalog.web.parts import Parts
from services.catalog.web.shop_views import (
    CategoryTree,
    Lang,
    Language,
    ProductList,
    Suggestion,
    Suggestions,
    card_view,
    category_view,
    facets_view,
    page_view,
)
from services.chassis import pages
from services.chassis.errors import FieldError, InvalidInput
from services.chassis.injection import Injected
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit
from services.chassis.problems import documented

SUGGESTIONS = 8
TAG = "products"
"""Of every list: it moves with any product."""


Query = Annotated[
    str | None,
    QueryParameter(
        name="q",
        max_length=search.MAX_QUERY,
        description="Words that must all be in name, brand, keywords or description; parts of words are found too.",
    ),
]
InCategory = Annotated[
    str | None, QueryParameter(name="category", description="Slug: that category and all below it.")
]
MinPrice = Annotated[
    int | None, QueryParameter(name="min_price", ge=0, le=values.MAX_PRICE, description="Inclusive.")
]
MaxPrice = Annotated[
    int | None, QueryParameter(name="max_price", ge=0, le=values.MAX_PRICE, description="Inclusive.")
]
InStock = Annotated[bool, QueryParameter(name="in_stock", description="Only what can be bought now.")]
SortOrder = Annotated[
    Sort | None,
    QueryParameter(name="sort", description="`relevance` only with `q`, where it is what is left out means."),
]


def cacheable(kind: type[msgspec.Struct], description: str) -> dict[int, ResponseSpec]:
    return {
        200: ResponseSpec(kind, description=description, generate_examples=False),
        304: ResponseSpec(
            None, description="The caller has it already (If-None-Match).", generate_examples=False
        ),
    }


class PublicProducts(Controller):
    """The part of /api/products that is for anybody."""

    @get(
        public=True,
        operation_id="listProducts",
        summary="Products for sale, page by page, with facets",
        responses={**cacheable(ProductList, "A page of products."), **documented(400, 503)},
    )
    async def list_products(
        self,
        *,
        request: Request[Any, Any, Any],
        catalog: Injected[Parts],
        q: Query = None,
        category: InCategory = None,
        min_price: MinPrice = None,
        max_price: MaxPrice = None,
        in_stock: InStock = False,
        sort: SortOrder = None,
        lang: Lang = Language.KO,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[bytes]:
        """An empty `q` is none. Facets count what the other filters find, each without its own."""
        words = query_words(q)
        if sort is Sort.RELEVANCE and not words:
            raise InvalidInput([FieldError.of("sort", "not_allowed")])
        order = sort or (Sort.RELEVANCE if words else Sort.NEWEST)
        filters = Filters(words=words, min_price=min_price, max_price=max_price, in_stock=in_stock)
        inside = None if category is None else await catalog.browsing.below(category)
        if category is not None and inside is None:
            raise InvalidInput([FieldError.of("category", "unknown_category")])
        query = ListQuery(
            filters=filters,
            categories=inside,
            sort=order,
            # One more than asked for shows whether there is a next page.
            limit=limit + 1,
            after=_after(cursor, order),
        )
        cards = await catalog.shop.cards(query)
        facets = None
        if cursor is None:
            summary = await catalog.browsing.facets(filters, inside)
            facets = facets_view(summary, await catalog.browsing.tree(), catalog.view, lang.value)
        shown = cards[:limit]
        following = (
            pages.encode(order.value, _sort_value(shown[-1], order), shown[-1].id)
            if len(cards) > limit
            else None
        )
        body = ProductList([card_view(card, catalog.view, lang.value) for card in shown], following, facets)
        tags = [
            TAG,
            *([f"category:{category}"] if category else []),
            *(f"product:{card.id}" for card in shown),
        ]
        return answer(request, body, tags)

    @get(
        "/suggestions",
        public=True,
        operation_id="suggestProducts",
        summary="Products whose names hold what is being typed",
        responses={**cacheable(Suggestions, "At most eight, the best first."), **documented(400, 503)},
    )
    async def suggest_products(
        self,
        *,
        request: Request[Any, Any, Any],
        catalog: Injected[Parts],
        q: Annotated[
            str, QueryParameter(name="q", max_length=search.MAX_QUERY, description="As typed so far.")
        ],
        lang: Lang = Language.KO,
    ) -> Response[bytes]:
        found = await catalog.shop.suggestions(query_words(q, required=True), SUGGESTIONS)
        items = [Suggestion(each.slug, localised(each.names, lang.value), each.brand) for each in found]
        return answer(request, Suggestions(items), [TAG])


class PublicCategories(Controller):
    """The part of /api/categories that is for anybody."""

    @get(
        public=True,
        operation_id="listCategories",
        summary="The tree of categories",
        responses={**cacheable(CategoryTree, "The whole tree."), **documented(400, 503)},
    )
    async def list_categories(
        self,
        *,
        request: Request[Any, Any, Any],
        catalog: Injected[Parts],
        lang: Lang = Language.KO,
    ) -> Response[bytes]:
        nodes = (await catalog.categories.tree()).nodes()
        return answer(
            request, CategoryTree([category_view(node, lang.value) for node in nodes]), ["categories"]
        )


async def product_page(
    request: Request[Any, Any, Any], slug: str, language: str, catalog: Parts
) -> Response[bytes]:
    """The page of a product for sale. Raises UnknownProduct."""
    shown = await catalog.shop.show(slug) if values.may_be_slug(slug) else None
    if shown is None:
        raise UnknownProduct
    path = (await catalog.browsing.tree()).path(shown.product.content.category)
    return answer(
        request,
        page_view(shown, path, catalog.view, language),
        [f"product:{shown.product.id}", "categories", *(f"category:{category.slug}" for category in path)],
    )


def query_words(text: str | None, *, required: bool = False) -> tuple[str, ...]:
    """Raises InvalidInput, which says what is wrong with the query."""
    if not required and not (text or "").strip():
        return ()
    try:
        return search.words(text or "")
    except InvalidValue as fault:
        raise InvalidInput([FieldError.refusing("q", fault)]) from fault


def _after(cursor: str | None, sort: Sort) -> tuple[int | datetime, UUID] | None:
    """Where the page starts. Raises InvalidInput for a cursor that is not from this listing in this order."""
    if cursor is None:
        return None
    if sort is not Sort.NEWEST:
        value, id_ = pages.decode(cursor, sort.value, int)
        if sort is Sort.RELEVANCE and not -(2**31) <= value < 2**31:
            raise InvalidInput([FieldError.of("cursor", "invalid_cursor")])
        return value, id_
    return pages.decode(cursor, sort.value, datetime)


def _sort_value(card: Card, sort: Sort) -> int | datetime:
    if sort is Sort.NEWEST:
        return card.created_at
    return card.rank if sort is Sort.RELEVANCE else card.price
