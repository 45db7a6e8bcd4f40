"""The proxy's parts, and how they are connected."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from litestar import Litestar
from litestar.exceptions import HTTPException

from frontend_proxy import health
from frontend_proxy.api import Api
from frontend_proxy.asgi import App, Receive, Scope, Send
from frontend_proxy.auth_client import AuthClient
from frontend_proxy.cookies import SessionCookies
from frontend_proxy.edge.application import Edge
from frontend_proxy.media import Media
from frontend_proxy.metrics import Metrics
from frontend_proxy.pages import assets, dependencies, methods
from frontend_proxy.pages.account.addresses import AccountAddresses
from frontend_proxy.pages.account.devices import AccountDevices
from frontend_proxy.pages.account.email import AccountEmail
from frontend_proxy.pages.account.password import AccountPassword
from frontend_proxy.pages.account.profile import AccountProfile
from frontend_proxy.pages.backend import Backend
from frontend_proxy.pages.cart.handlers import CartPages
from frontend_proxy.pages.categories.handlers import CategoryPages
from frontend_proxy.pages.checkout.handlers import CheckoutPages
from frontend_proxy.pages.design import handlers as design
from frontend_proxy.pages.entry.handlers import Entry
from frontend_proxy.pages.errors import ErrorPages
from frontend_proxy.pages.fulfilment.listing import OrderList
from frontend_proxy.pages.fulfilment.order import OrderDesk
from frontend_proxy.pages.fulfilment.refunds import Refunds
from frontend_proxy.pages.home.handlers import Home
from frontend_proxy.pages.members.email import MemberEmail
from frontend_proxy.pages.members.handlers import Members
from frontend_proxy.pages.money.handlers import Money
from frontend_proxy.pages.orders.handlers import OrderPages
from frontend_proxy.pages.page_context import Redirect
from frontend_proxy.pages.problem_types import problem_type
from frontend_proxy.pages.products.editor import ProductEditor
from frontend_proxy.pages.products.listing import ProductsAdmin
from frontend_proxy.pages.products.pictures import ProductPictures
from frontend_proxy.pages.recovery.handlers import Recovery
from frontend_proxy.pages.shop.catalog import Shelves
from frontend_proxy.pages.shop.listing import ProductList
from frontend_proxy.pages.shop.product import ProductPage
from frontend_proxy.pages.shop.shipping import Shipping
from frontend_proxy.pages.shop.sitemap import ForSearchEngines
from frontend_proxy.pages.site import Site
from frontend_proxy.pages.stock.handlers import StockPages
from frontend_proxy.pages.stuck.handlers import StuckMessages
from frontend_proxy.pages.today.handlers import TodayPage
from frontend_proxy.pages.translator import Translations
from frontend_proxy.pages.views import Views
from frontend_proxy.problems import Problem
from frontend_proxy.session_manager import SessionManager
from frontend_proxy.settings import Settings
from frontend_proxy.upstream import Pool, Upstream

ROOT = Path(__file__).parent


def create_app(settings: Settings, metrics: Metrics) -> App:
    """The whole proxy as an ASGI application. Its connections open and close with its lifespan."""
    pool = Pool(settings, metrics)
    gateway = Upstream("gateway", settings.gateway_url, pool)
    auth_service = Upstream("auth service", settings.auth_url, pool)
    auth = AuthClient(auth_service)
    session_cookies = SessionCookies(secure=settings.production)
    static = assets.Assets(ROOT / "static")
    backend = Backend(gateway, auth)
    shelves = Shelves(backend)
    views = Views(
        ROOT / "pages",
        static,
        Translations(ROOT / "pages"),
        ZoneInfo(settings.time_zone),
        shelves.known,
        asset_origin=settings.asset_origin,
        media_origin=settings.media_origin,
    )
    shipping = Shipping(settings.shipping_fee, settings.shipping_free_from, settings.store_currency)
    site = Site(
        views, backend, session_cookies, settings.production, shelves, settings.store_currency, shipping
    )
    errors = ErrorPages(site)

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncIterator[None]:
        async with pool, metrics.loop_lag.lifespan():
            yield

    pages = Litestar(
        route_handlers=[
            Home,
            ProductList,
            ProductPage,
            ForSearchEngines,
            CartPages,
            CheckoutPages,
            OrderPages,
            Entry,
            Recovery,
            AccountProfile,
            AccountEmail,
            AccountAddresses,
            AccountDevices,
            AccountPassword,
            OrderList,
            OrderDesk,
            Refunds,
            Members,
            MemberEmail,
            TodayPage,
            Money,
            StuckMessages,
            ProductsAdmin,
            ProductEditor,
            ProductPictures,
            StockPages,
            CategoryPages,
            *([] if settings.production else design.pages(static)),
            assets.route(static, elsewhere=bool(settings.asset_origin)),
            problem_type,
            *health.routes({"auth": auth_service, "gateway": gateway}),
        ],
        dependencies=dependencies.providers(site),
        exception_handlers={
            Redirect: errors.redirected,
            Problem: errors.problem,
            HTTPException: errors.refused,
            Exception: errors.failed,
        },
        lifespan=[connected],
        openapi_config=None,
        logging_config=None,
    )
    api = Api(gateway, auth, SessionManager(metrics.counting(auth.refresh), session_cookies))
    return Edge(
        _routed(api, Media(gateway), methods.answered(cast(App, pages))),
        errors.at_the_edge,
        settings,
        session_cookies,
        metrics,
    )


def _routed(api: App, media: App, pages: App) -> App:
    """/api and /media are streamed and do not go through the pages' framework: they need the raw path."""

    def choose(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and f"{scope['path']}/".startswith("/api/"):
            return api(scope, receive, send)
        if scope["type"] == "http" and scope["path"].startswith("/media/"):
            return media(scope, receive, send)
        return pages(scope, receive, send)

    return choose
