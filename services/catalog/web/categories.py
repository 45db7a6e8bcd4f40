"""`/api/categories/{id}`: what administrators do with the tree. Reading it is in shop.py."""

from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from services.catalog.domain.products import Category
from services.catalog.web.parts import Parts
from services.catalog.web.products import ADMIN, CHANGE_REFUSALS, EMPTY, IfMatch
from services.catalog.web.schemas import CategoryDocument, CategoryPatch, NewCategory
from services.catalog.web.shop import PublicCategories
from services.chassis import preconditions
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.problems import documented


class CategoriesController(PublicCategories):
    path = "/api/categories"
    tags = ("categories",)

    @get(
        "/{category_id:uuid}",
        operation_id="getCategory",
        summary="A category with all its names",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=documented(400, 401, 403, 404, 503),
    )
    async def get_category(
        self, *, category_id: FromPath[UUID], catalog: Injected[Parts]
    ) -> Response[CategoryDocument]:
        return _answer(await catalog.categories.get(category_id))

    @post(
        operation_id="createCategory",
        summary="Make a category",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=documented(400, 401, 403, 409, 413, 422, 503),
    )
    @idempotent
    async def create_category(
        self,
        *,
        request: CallerRequest,
        catalog: Injected[Parts],
        data: JSONBody[NewCategory],
    ) -> Response[CategoryDocument]:
        category = await catalog.categories.create(data.slug, data.names, data.parent, data.position)
        return _answer(category, 201, {"Location": f"/api/categories/{category.id}"})

    @put(
        "/{category_id:uuid}",
        operation_id="replaceCategory",
        summary="Replace a category",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def replace_category(
        self,
        *,
        request: CallerRequest,
        category_id: FromPath[UUID],
        catalog: Injected[Parts],
        data: JSONBody[NewCategory],
        if_match: IfMatch = None,
    ) -> Response[CategoryDocument]:
        versions = preconditions.versions(if_match)
        return _answer(await catalog.categories.change(category_id, versions, data.apply))

    @patch(
        "/{category_id:uuid}",
        operation_id="patchCategory",
        summary="Change some of a category (RFC 7396)",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def patch_category(
        self,
        *,
        request: CallerRequest,
        category_id: FromPath[UUID],
        catalog: Injected[Parts],
        data: JSONBody[CategoryPatch],
        if_match: IfMatch = None,
    ) -> Response[CategoryDocument]:
        versions = preconditions.versions(if_match)
        return _answer(await catalog.categories.change(category_id, versions, data.apply))

    @delete(
        "/{category_id:uuid}",
        operation_id="deleteCategory",
        summary="Delete a category that is empty",
        roles=(ADMIN,),
        security=[{"bearer": []}],
        responses={204: EMPTY, **CHANGE_REFUSALS},
    )
    @idempotent
    async def delete_category(
        self,
        *,
        request: CallerRequest,
        category_id: FromPath[UUID],
        catalog: Injected[Parts],
        if_match: IfMatch = None,
    ) -> Response[None]:
        await catalog.categories.delete(category_id, preconditions.versions(if_match))
        return Response(None, status_code=204)


def _answer(
    category: Category, status: int = 200, headers: dict[str, str] | None = None
) -> Response[CategoryDocument]:
    tag = preconditions.etag(category.version)
    return Response(
        CategoryDocument.of(category), status_code=status, headers={"ETag": tag, **(headers or {})}
    )
