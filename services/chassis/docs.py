"""The API document and a page to read and try it, served from files on this machine: it works without the internet.

The page holds no inline script and loads nothing from elsewhere, so a strict Content-Security-Policy covers it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.datastructures import ResponseHeader
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath

from common import header_names
from services.chassis.errors import NotFound
from services.chassis.media_types import accepted

PUBLIC: list[dict[str, list[str]]] = [{}]
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
INTERNAL: list[dict[str, list[str]]] = [{"internal": []}]
"""What an address asks for, as its `security` in the document."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "/docs/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
});
"""
# Swagger UI styles its elements in place and draws its icons from data: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


def openapi(title: str, version: str) -> OpenAPIConfig:
    """The document's frame, and `/docs` with its files and `/docs/openapi.json`."""
    schemes = {
        "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
        "internal": SecurityScheme(
            type="apiKey", name=header_names.INTERNAL_KEY, security_scheme_in="header"
        ),
    }
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return OpenAPIConfig(
        title=title,
        version=version,
        components=Components(security_schemes=dict(schemes)),
        use_handler_docstrings=True,
        openapi_router=Router(
            "/docs",
            route_handlers=[],
            opt={"public": True},
            include_in_schema=False,
            response_headers=[ResponseHeader(name=name, value=value) for name, value in headers.items()],
        ),
        render_plugins=[_OfflinePage(path="/"), _Document(path="/openapi.json")],
    )


class _Document(JsonRenderPlugin):
    """The framework's document, with what the frame does with every body (media_types.py)."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        for path in openapi_schema["paths"].values():
            for method, operation in path.items():
                if isinstance(operation, dict) and "requestBody" in operation:
                    _describe_body(method.upper(), operation)
        return super().render(request, openapi_schema)


def _describe_body(method: str, operation: dict[str, Any]) -> None:
    content = operation["requestBody"]["content"]
    operation["requestBody"]["content"] = dict.fromkeys(accepted(method), content["application/json"])
    refusal = dict(operation["responses"]["400"])
    operation["responses"]["415"] = {**refusal, "description": "The body is not announced as JSON."}


class _OfflinePage(OpenAPIRenderPlugin):
    """Swagger UI from the files of an installed package, in place of the framework's pages, which load from a CDN."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return _PAGE.format(title=openapi_schema["info"]["title"]).encode()

    def receive_router(self, router: Router) -> None:
        folder = _static_folder()

        @get("/start.js", sync_to_thread=False, media_type="text/javascript")
        def start() -> bytes:
            return _START

        @get("/{name:str}", sync_to_thread=True)
        def asset(name: FromPath[str]) -> Response[bytes]:
            if name not in _ASSETS:
                raise NotFound("There is nothing at this address.")
            headers = {"Cache-Control": "public, max-age=86400"}
            return Response((folder / name).read_bytes(), media_type=_ASSETS[name], headers=headers)

        router.register(start)
        router.register(asset)


def _static_folder() -> Path:
    # Found, not imported: the package's Python side brings a template engine that nobody here needs.
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("swagger-ui-py is not installed")
    return Path(spec.origin).parent / "static"
