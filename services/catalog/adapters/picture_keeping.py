"""What happens to pictures beside requests: files that nothing shows are deleted, and the demo shop gets its own.

Store or database down: the next round tries again; until then a file too many lies there.
"""

import logging
from contextlib import AbstractAsyncContextManager
from importlib import resources

from services.catalog.application.pictures import PictureService
from services.chassis.postgres import Database
from services.chassis.rounds import rounds

_log = logging.getLogger(__name__)

COLLECT_EVERY_S = 3600.0
DEMO_PICTURES = resources.files("services.catalog.adapters") / "demo_pictures"


class PictureKeeping:
    def __init__(self, pictures: PictureService, database: Database, *, demo: bool) -> None:
        self._pictures = pictures
        self._database = database
        self._demo = demo

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return rounds("pictures", self._round, every=COLLECT_EVERY_S)

    async def _round(self) -> bool:
        if self._demo:
            await self._load_demo_pictures()
            self._demo = False
        if deleted := await self._pictures.collect():
            _log.info("files of no picture deleted", extra={"files": deleted})
        return False

    async def _load_demo_pictures(self) -> None:
        """For the demo products that have none. Not in the way of the start: a picture takes a moment to render."""
        rows = await self._database.fetch(
            "SELECT id, slug FROM product WHERE deleted_at IS NULL "
            "AND NOT EXISTS (SELECT FROM product_image WHERE product_id = product.id) ORDER BY created_at"
        )
        for row in rows:
            file = DEMO_PICTURES / f"{row['slug']}.webp"
            if file.is_file():
                await self._pictures.put(row["id"], None, 0, file.read_bytes(), {})
