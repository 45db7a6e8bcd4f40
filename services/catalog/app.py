"""The catalog service's parts, put together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from litestar import Litestar

from common.redis_link import RedisLink
from common.telemetry.calls import RedisCommands
from services.catalog.adapters import demo_data
from services.catalog.adapters.categories_postgres import PostgresCategories
from services.catalog.adapters.held_stock import HeldStock
from services.catalog.adapters.images_postgres import PostgresImages
from services.catalog.adapters.measured import MeasuredShop, MeasuredStock
from services.catalog.adapters.media_obstore import ObstoreMedia
from services.catalog.adapters.picture_keeping import PictureKeeping
from services.catalog.adapters.pictures_pillow import PillowRenderer
from services.catalog.adapters.products_postgres import PostgresProducts
from services.catalog.application.browsing import BrowsingService
from services.catalog.application.pictures import PictureService
from services.catalog.application.products import CategoryService, ProductService
from services.catalog.application.quotes import QuoteService
from services.catalog.application.stock import StockService
from services.catalog.commands import MIGRATIONS
from services.catalog.domain.pricing import VatRates
from services.catalog.settings import Settings
from services.catalog.web import internal
from services.catalog.web.categories import CategoriesController
from services.catalog.web.parts import Parts
from services.catalog.web.pictures import ImagesController, get_media
from services.catalog.web.products import ProductsController
from services.catalog.web.refusals import REFUSALS
from services.catalog.web.shop_views import StoreView
from services.catalog.web.stock import StockController
from services.chassis import cache_tags, metrics, outbox
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.cache_tags import AtOnce, CacheTags, TagTarget
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.injection import provided
from services.chassis.migrations import migrate
from services.chassis.outbox.administration import administration as outbox_administration
from services.chassis.postgres import Database

CACHE_TIMEOUT_S = 1.0
"""Seconds within which Redis takes the tags of a change."""


def now() -> datetime:
    return datetime.now(UTC)


def build(settings: Settings) -> Litestar:
    registry = metrics.new_registry()
    database = Database.of(settings, "catalog", registry)
    idempotency = Idempotency(Records(database, ttl=settings.idempotency_ttl))
    authenticator = TokenAuthenticator.of(settings, registry)
    store = MeasuredShop(database, registry)
    rates = VatRates(settings.vat_rate_standard, settings.vat_rate_reduced)
    link = RedisLink(settings.redis_url, CACHE_TIMEOUT_S, "catalog", ended=RedisCommands(registry).ended)
    delivery = outbox.Delivery(
        outbox.OutboxStore(database), targets={cache_tags.TARGET: TagTarget(link)}, registry=registry
    )
    at_once = AtOnce(database, link)
    tags = CacheTags(
        database, settles=settings.browsing_ttl + 1 if settings.browsing_ttl else 0, at_once=at_once
    )
    media = ObstoreMedia(settings.media_url, settings.object_store)
    pictures = PictureService(PillowRenderer(), media, PostgresImages(database, tags), now)
    parts = Parts(
        shop=store,
        browsing=BrowsingService(
            store, PostgresCategories(database), settings.bands, settings.browsing_ttl, time.monotonic
        ),
        products=ProductService(
            PostgresProducts(database, tags), database, now, uuid4, settings.store_currency
        ),
        categories=CategoryService(PostgresCategories(database, tags), database, now, uuid4),
        stock=StockService(MeasuredStock(database, registry, tags, few_left=settings.few_left), now),
        quotes=QuoteService(store, settings.store_currency, rates, settings.few_left),
        pictures=pictures,
        media=media,
        view=StoreView(settings.store_currency, settings.few_left, settings.bands),
    )

    @asynccontextmanager
    async def schema() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        if settings.demo_data:
            await demo_data.load(database, settings.store_currency)
        yield

    return create_app(
        title="Gatehouse catalog",
        handlers=[
            ProductsController,
            CategoriesController,
            ImagesController,
            get_media,
            StockController,
            internal.quote,
            internal.reserve,
            outbox_administration("catalog", database),
        ],
        authenticator=authenticator,
        internal_key=settings.internal_api_key,
        dependencies=provided(catalog=parts),
        refusals=REFUSALS,
        state={"idempotency": idempotency},
        lifespan=[
            database.lifespan,
            schema,
            authenticator.lifespan,
            idempotency.lifespan,
            lambda: link,
            at_once.lifespan,
            delivery.lifespan,
            PictureKeeping(pictures, database, demo=settings.demo_data).lifespan,
            HeldStock(database, registry).lifespan,
        ],
        checks={"postgres": database.check, "media": media.check},
        registry=registry,
    )
