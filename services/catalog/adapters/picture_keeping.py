"""What happens to pictures beside requests: files that nothing shows are deleted, and the demo shop gets its own.

Store or database down: the next round tries again; until then a file too many lies there.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import resources

from services.catalog.application.pictures import PictureService
from services.chassis.errors import Problem
from services.chassis.postgres import Database

_log = logging.getLogger(__name__)

COLLECT_EVERY_S = 3600.0
DEMO_PICTURES = resources.files("services.catalog.adapters") / "demo_pictures"


class PictureKeeping:
    def __init__(self, pictures: PictureService, database: Database, *, demo: bool) -> None:
        self._pictures = pictures
        self._database = database
        self._demo = demo

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run(), name="pictures")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                if self._demo:
                    await self._load_demo_pictures()
                    self._demo = False
                if deleted := await self._pictures.collect():
                    _log.info("files of no picture deleted", extra={"files": deleted})
            except Problem as fault:
                _log.warning("pictures are not looked after", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, the next round may do better; without any, files pile up.
                _log.exception("pictures are not looked after")
            await asyncio.sleep(COLLECT_EVERY_S)

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
