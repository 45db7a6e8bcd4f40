"""The pictures of products: rendered, stored by their content, shown at a position, and collected when nothing shows
them any more."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.catalog.domain.pictures import Rendered, file_name
from services.catalog.domain.products import Image

ORPHAN_AGE = timedelta(hours=1)
"""A file that belongs to nothing may be of an upload that is under way; after so long it is of none."""

Versions = frozenset[int] | None
"""The versions of the product that the caller is ready to change; None is any."""


class Renderer(Protocol):
    async def render(self, data: bytes) -> Rendered:
        """Raises UnfitPicture, which says why, and Unavailable where too many are being read."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    name: str
    written_at: datetime


class Media(Protocol):
    """Where the files lie. A name says the content, so a file that exists is never written with another.

    Store down: every call raises Unavailable.
    """

    async def put(self, name: str, content: bytes) -> None:
        """Returns when the file will outlast the process and, on a local disk, the machine."""

    async def get(self, name: str) -> bytes | None: ...

    async def delete(self, names: Sequence[str]) -> None: ...

    def files(self) -> AsyncIterator[Sequence[StoredFile]]:
        """All files, batch by batch."""

    async def check(self) -> None:
        """Returns when the store answers."""


class Images(Protocol):
    """Which product shows which picture where."""

    async def put(
        self,
        product: UUID,
        versions: Versions,
        position: int,
        rendered: Rendered,
        alt: Mapping[str, str],
        now: datetime,
    ) -> tuple[Image, int]:
        """The image, and the product's new version. Raises UnknownProduct, Stale."""

    async def change(
        self,
        product: UUID,
        versions: Versions,
        position: int,
        to: int,
        alt: Mapping[str, str | None],
        now: datetime,
    ) -> tuple[Image, int]:
        """Shows the picture at `to`, those between make room; `alt` by language, None takes one away.

        The image, and the product's new version. Raises UnknownProduct, UnknownImage, Stale."""

    async def delete(self, product: UUID, versions: Versions, position: int, now: datetime) -> int:
        """The product's new version. Raises UnknownProduct, UnknownImage, Stale."""

    async def forget_unshown(self, before: datetime) -> int:
        """Drops pictures that no product shows and that were made before then. Returns how many."""

    async def known(self, hashes: Collection[str]) -> Collection[str]:
        """Those of `hashes` that are a picture's."""


@dataclass(frozen=True, slots=True)
class PictureService:
    renderer: Renderer
    media: Media
    images: Images
    clock: Callable[[], datetime]

    async def put(
        self, product: UUID, versions: Versions, position: int, data: bytes, alt: Mapping[str, str]
    ) -> tuple[Image, int]:
        """Raises UnfitPicture, UnknownProduct, Stale. Files are there before anything names them; where the product is
        then not changed they are nobody's, and are collected."""
        rendered = await self.renderer.render(data)
        for rendition in rendered.renditions:
            await self.media.put(file_name(rendered.hash, rendition.width), rendition.content)
        return await self.images.put(product, versions, position, rendered, alt, self.clock())

    async def change(
        self, product: UUID, versions: Versions, position: int, to: int, alt: Mapping[str, str | None]
    ) -> tuple[Image, int]:
        return await self.images.change(product, versions, position, to, alt, self.clock())

    async def delete(self, product: UUID, versions: Versions, position: int) -> int:
        return await self.images.delete(product, versions, position, self.clock())

    async def collect(self) -> int:
        """Deletes the files that no product shows. Returns how many. Safe to run in every replica."""
        old = self.clock() - ORPHAN_AGE
        await self.images.forget_unshown(old)
        deleted = 0
        async for batch in self.media.files():
            # Asked after the listing: a file of an upload that ended meanwhile is known by now.
            known = await self.images.known({_hash(file.name) for file in batch})
            orphans = [file.name for file in batch if file.written_at < old and _hash(file.name) not in known]
            if orphans:
                await self.media.delete(orphans)
                deleted += len(orphans)
        return deleted


def _hash(name: str) -> str:
    return name.partition("-")[0]
