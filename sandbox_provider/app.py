"""The sandbox's parts, put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

from aiohttp import web

from sandbox_provider.account import Account
from sandbox_provider.api import Api
from sandbox_provider.books import Books
from sandbox_provider.control import Control
from sandbox_provider.faults import Faults
from sandbox_provider.page import Page
from sandbox_provider.settings import Settings
from sandbox_provider.webhooks import Webhooks

LOOK_EVERY_S = 20.0
MOST_BODY = 256 * 1024


def build(settings: Settings) -> web.Application:
    books, faults = Books(settings.file), Faults()
    webhooks = Webhooks(books, faults.webhooks, settings.webhook_url, settings.stripe_webhook_secret)
    account = Account(books, settings.public_url.rstrip("/"), webhooks.announce)
    app = web.Application(client_max_size=MOST_BODY)
    app.add_routes(Api(books, account, faults, settings.stripe_secret_key).routes())
    app.add_routes(Page(books, account, faults).routes())
    app.add_routes(Control(books, account, faults).routes())
    app.add_routes([web.get("/health", _healthy), web.get("/health/ready", _healthy)])

    async def expire() -> None:
        while True:
            with books.transaction():
                account.expire_due()
            await asyncio.sleep(LOOK_EVERY_S)

    app.cleanup_ctx.append(_beside(webhooks.run))
    app.cleanup_ctx.append(_beside(expire))

    async def close(_: web.Application) -> None:
        books.close()

    app.on_cleanup.append(close)
    return app


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _beside(
    run: Callable[[], Coroutine[None, None, None]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return context
