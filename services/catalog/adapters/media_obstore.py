"""Media in a directory or in an object store (S3, and what speaks its API). Store down: Unavailable, a 503."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore import exceptions
from obstore.store import LocalStore, ObjectStore, from_url

from services.catalog.application.pictures import StoredFile
from services.chassis.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import S3Config

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{32}-[0-9]{1,4}\.webp", re.ASCII)
_CONTENT_TYPE = {"Content-Type": "image/webp"}


class ObstoreMedia:
    """`url`: `file:///directory`, `s3://bucket/prefix` and whatever obstore reads. `object_store` holds obstore's
    configuration; what it does not say is found as the provider's own tools find it. `seconds` bounds each call.
    """

    def __init__(
        self, url: str, object_store: Mapping[str, str] | None = None, *, seconds: float = 5.0
    ) -> None:
        configuration = dict(object_store or {})
        self._seconds = seconds
        self._directory: Path | None = None
        self._store: ObjectStore
        if url.startswith("file:"):
            self._directory = Path(url2pathname(urlsplit(url).path))
            self._store = LocalStore(self._directory, mkdir=True)
        else:
            timeout = timedelta(seconds=seconds)
            self._store = from_url(
                url,
                config=cast("S3Config", configuration),
                client_options={
                    "timeout": timeout,
                    "connect_timeout": timeout,
                    # An endpoint of one's own (MinIO, Ceph) may be on a network without TLS; who names it says so.
                    "allow_http": configuration.get("aws_endpoint_url", "").startswith("http://"),
                },
                retry_config={"max_retries": 1, "retry_timeout": timeout},
            )

    async def put(self, name: str, content: bytes) -> None:
        with _outage():
            await asyncio.wait_for(
                self._store.put_async(name, content, attributes=None if self._directory else _CONTENT_TYPE),
                self._seconds,
            )
            if self._directory is not None:
                await asyncio.to_thread(_sync, self._directory / name)

    async def get(self, name: str) -> bytes | None:
        """None also for what is no name of a rendition: nothing else of the store is ever shown."""
        if not _NAME.fullmatch(name):
            return None
        with _outage():
            try:
                found = await asyncio.wait_for(self._store.get_async(name), self._seconds)
                return bytes(await asyncio.wait_for(found.bytes_async(), self._seconds))
            except (exceptions.NotFoundError, FileNotFoundError):
                return None

    async def delete(self, names: Sequence[str]) -> None:
        with _outage():
            for name in names:
                try:
                    await asyncio.wait_for(self._store.delete_async(name), self._seconds)
                except (exceptions.NotFoundError, FileNotFoundError):
                    continue  # another replica was first

    async def files(self) -> AsyncIterator[Sequence[StoredFile]]:
        with _outage():
            async for batch in self._store.list():
                named = [file for file in batch if _NAME.fullmatch(file["path"])]
                yield [StoredFile(file["path"], file["last_modified"]) for file in named]

    async def check(self) -> None:
        with _outage():
            if self._directory is not None and not os.access(self._directory, os.W_OK | os.X_OK):
                raise PermissionError("the directory cannot be written")
            if self._directory is not None and not self._directory.is_dir():
                raise NotADirectoryError
            async for _ in self._store.list():
                break


@contextmanager
def _outage() -> Iterator[None]:
    try:
        yield
    except (exceptions.BaseError, OSError, TimeoutError) as fault:
        # A full disk, a denied bucket, an endpoint that is away: all are for an operator, none is the caller's.
        _log.warning("the media store cannot serve", extra={"cause": repr(fault)[:500]})
        raise Unavailable("The store of pictures cannot answer at the moment.") from fault


def _sync(file: Path) -> None:
    """On the disk, with its name in the directory."""
    for path, flags in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
