"""Static files: read once, compressed once, served from memory under the digest of all of them together.

One digest for the tree, so that a module's relative import lands in the same release as the module itself.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

_YEAR = "public, max-age=31536000, immutable"
_COMPRESSIBLE = {"text/css", "text/javascript", "image/svg+xml", "application/manifest+json"}
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


class Asset(NamedTuple):
    """A static file, plain and, where its kind gains by it, gzipped."""

    media_type: str
    plain: bytes
    gzipped: bytes | None


class Assets:
    """All static files of a release."""

    def __init__(self, root: Path) -> None:
        self._files: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for name, content in _contents(root):
            path = Path(name)
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
            self._files[name] = _asset(path, content)
        self.digest = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file. KeyError for a name that is none: a template's mistake shows at its first
        rendering."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def find(self, digest: str, name: str) -> Asset | None:
        """The file, if `digest` is this release's: an old page must not be given a new script."""
        return self._files.get(name) if digest == self.digest else None


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file's name and content. The parts of a sheet (`css/site/*.css`, in the order of their names) are one file:
    a page that waits for one sheet is painted sooner than one that waits for eight."""
    sheets: dict[str, list[bytes]] = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name, content = path.relative_to(root).as_posix(), path.read_bytes()
        if path.suffix == ".css" and path.parent.parent.name == "css":
            sheets.setdefault(f"css/{path.parent.name}.css", []).append(content)
        else:
            yield name, content
    for name, parts in sheets.items():
        yield name, b"".join(parts)


def _asset(path: Path, content: bytes) -> Asset:
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    compressible = media_type in _COMPRESSIBLE
    return Asset(media_type, content, gzip.compress(content, 9, mtime=0) if compressible else None)


def takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` takes gzip (RFC 9110 §12.5.3): named with a weight above 0, or by `*`."""
    weights = dict(_weights(accepted.lower()))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weights(accepted: str) -> Iterator[tuple[str, float]]:
    for item in accepted.split(","):
        coding, _, parameter = item.partition(";")
        name, _, weight = parameter.strip().partition("=")
        try:
            yield coding.strip(), float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            continue


def route(assets: Assets, *, elsewhere: bool = False) -> HTTPRouteHandler:
    """The handler that serves `assets`; `elsewhere`: to a CDN, for pages of this site (modules and fonts of another
    origin are fetched by CORS, without credentials)."""
    always = {"Cache-Control": _YEAR, "Vary": "Accept-Encoding"}
    if elsewhere:
        always["Access-Control-Allow-Origin"] = "*"

    @get("/static/{digest:str}/{name:path}", sync_to_thread=False)
    def static(
        request: Request[Any, Any, Any], digest: FromPath[str], name: FromPath[Path]
    ) -> Response[bytes]:
        asset = assets.find(digest, name.as_posix().lstrip("/"))
        if asset is None:
            raise NotFoundException
        headers = dict(always)
        body = asset.plain
        if asset.gzipped is not None and takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = asset.gzipped
        return Response(body, media_type=asset.media_type, headers=headers)

    return static
