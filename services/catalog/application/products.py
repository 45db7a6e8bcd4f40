"""The use cases of those who keep the catalog: products and categories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.field_codes import InvalidValue
from services.catalog.application.ports import Categories, Products, UnitOfWork, Versions
from services.catalog.domain import values
from services.catalog.domain.categories import MAX_DEPTH, Tree
from services.catalog.domain.errors import InvalidProduct, Stale, UnknownCategory, UnknownProduct
from services.catalog.domain.products import Category, Content, Product, Status


@dataclass(frozen=True, slots=True)
class ProductService:
    """`currency`: the store's, in which prices are."""

    products: Products
    work: UnitOfWork
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    currency: str

    async def page(
        self,
        status: Status | None,
        words: tuple[str, ...],
        categories: Sequence[UUID] | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Sequence[Product]:
        return await self.products.page(status, words, categories, limit, after)

    async def get(self, id_: UUID) -> Product:
        """Raises UnknownProduct."""
        product = await self.products.get(id_)
        if product is None:
            raise UnknownProduct
        return product

    async def create(self, content: Content) -> Product:
        """Raises InvalidProduct, SlugTaken, SkuTaken."""
        now = self.clock()
        product = Product(
            id=self.new_id(),
            content=self._identified(values.content(content, self.currency), None),
            created_at=now,
            updated_at=now,
        )
        async with self.work.transaction():
            await self.products.add(product)
        return product

    async def change(self, id_: UUID, versions: Versions, change: Callable[[Content], Content]) -> Product:
        """Gives the product the content that `change` makes of the present one.

        Raises UnknownProduct, Stale, InvalidProduct, SlugTaken, SkuTaken.
        """
        async with self.work.transaction():
            product = await self.get(id_)
            if versions is not None and product.version not in versions:
                raise Stale
            wanted = values.content(change(product.content), self.currency, product.content)
            content = self._identified(wanted, product.content)
            changed = product.changed(content, self.clock())
            # Somebody else may have changed it since the read above: the store decides who was first.
            if not await self.products.save(changed):
                raise Stale
        return changed

    async def delete(self, id_: UUID, versions: Versions) -> None:
        """Raises UnknownProduct, Stale."""
        async with self.work.transaction():
            await self.get(id_)
            if not await self.products.delete(id_, self.clock(), versions):
                raise Stale

    def _identified(self, content: Content, present: Content | None) -> Content:
        """A variant keeps its id for as long as its SKU is the product's."""
        known = {variant.sku: variant.id for variant in present.variants} if present else {}
        variants = (
            replace(variant, id=known.get(variant.sku) or self.new_id()) for variant in content.variants
        )
        return replace(content, variants=tuple(variants))


@dataclass(frozen=True, slots=True)
class CategoryService:
    categories: Categories
    work: UnitOfWork
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]

    async def tree(self) -> Tree:
        return Tree(await self.categories.all())

    async def get(self, id_: UUID) -> Category:
        """Raises UnknownCategory."""
        found = (await self.tree()).get(id_)
        if found is None:
            raise UnknownCategory
        return found

    async def create(
        self, slug: str, names: Mapping[str, str], parent: UUID | None, position: int
    ) -> Category:
        """Raises InvalidProduct, SlugTaken."""
        now = self.clock()
        category = _normal(
            Category(
                id=self.new_id(),
                parent=parent,
                slug=slug,
                position=position,
                names=names,
                created_at=now,
                updated_at=now,
            )
        )
        async with self.work.transaction():
            await self.categories.lock()
            _refuse_parent(await self.tree(), category)
            await self.categories.add(category)
        return category

    async def change(self, id_: UUID, versions: Versions, change: Callable[[Category], Category]) -> Category:
        """Raises UnknownCategory, Stale, InvalidProduct, SlugTaken."""
        async with self.work.transaction():
            await self.categories.lock()
            tree = await self.tree()
            present = tree.get(id_)
            if present is None:
                raise UnknownCategory
            if versions is not None and present.version not in versions:
                raise Stale
            changed = replace(_normal(change(present)), version=present.version + 1, updated_at=self.clock())
            _refuse_parent(tree, changed)
            if not await self.categories.save(changed):
                raise Stale
        return changed

    async def delete(self, id_: UUID, versions: Versions) -> None:
        """Raises UnknownCategory, Stale, CategoryInUse."""
        async with self.work.transaction():
            await self.categories.lock()
            await self.get(id_)
            if not await self.categories.delete(id_, self.clock(), versions):
                raise Stale


def _normal(category: Category) -> Category:
    faults = values.Faults()
    normal = replace(
        category,
        slug=faults.check("slug", values.slug, category.slug),
        names=values.names(faults, "names", category.names),
    )
    faults.raise_if_any()
    return normal


def _refuse_parent(tree: Tree, category: Category) -> None:
    if category.parent is None:
        return
    if tree.get(category.parent) is None:
        raise InvalidProduct({"parent": InvalidValue("unknown_category")})
    if category.parent in tree.below(category.id):
        raise InvalidProduct({"parent": InvalidValue("inside_itself")})
    present = tree.get(category.id)
    moved = present is None or present.parent != category.parent
    if moved and len(tree.path(category.parent)) + tree.levels(category.id) > MAX_DEPTH:
        raise InvalidProduct({"parent": InvalidValue("too_deep", max=MAX_DEPTH)})
