"""What the sandbox needs of its environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from common import settings
from common.settings import Env

DEVELOPMENT_KEY = "sk_test_sandbox"
DEVELOPMENT_WEBHOOK_SECRET = "whsec_development_sandbox"  # noqa: S105  # for development only, as all of this
WEBHOOK_PATH = "/api/payments/webhooks/stripe"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` inside a container.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("SANDBOX_PORT")] = (
        7200
    )
    books: Annotated[
        str,
        Meta(pattern="^file:///", description="The directory of its books, one SQLite file."),
        Env("SANDBOX_BOOKS"),
    ] = "file:///tmp/sandbox"
    public_url: Annotated[
        str,
        Meta(description="Where browsers reach it, without a slash at the end."),
        Env("SANDBOX_PUBLIC_URL"),
    ] = "http://localhost:7200"
    gateway_url: Annotated[
        str, Meta(description="Where webhooks go, below `/api/payments/webhooks/`. Empty: nowhere.")
    ] = ""
    stripe_secret_key: Annotated[str, Meta(description="The key that its callers must have.")] = (
        DEVELOPMENT_KEY
    )
    stripe_webhook_secret: Annotated[str, Meta(description="What its webhooks are signed with.")] = (
        DEVELOPMENT_WEBHOOK_SECRET
    )

    @property
    def file(self) -> Path:
        return Path(unquote(urlsplit(self.books).path)) / "books.sqlite3"

    @property
    def webhook_url(self) -> str:
        return self.gateway_url.rstrip("/") + WEBHOOK_PATH if self.gateway_url else ""


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises SystemExit in production: whoever pays here pays nothing."""
    if environ.get("APP_ENV") == "production":
        raise SystemExit("the sandbox provider does not run in production")
    try:
        return settings.read(Settings, environ)
    except settings.SettingsError as fault:
        raise SystemExit(f"the sandbox provider cannot start: {fault}") from fault
