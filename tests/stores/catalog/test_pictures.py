"""Pictures: kept in a directory and in S3, named by content, gone when nothing shows them, never half there."""

import io
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from PIL import Image as PillowImage
from werkzeug.serving import make_server

from services.catalog.adapters import picture_worker
from services.catalog.adapters.images_postgres import PostgresImages
from services.catalog.adapters.media_obstore import ObstoreMedia
from services.catalog.adapters.pictures_pillow import PillowRenderer
from services.catalog.application.pictures import PictureService
from services.catalog.domain.errors import Stale, UnfitPicture, UnknownImage, UnknownProduct
from services.catalog.domain.pictures import Fault
from services.catalog.settings import Settings
from services.chassis.errors import Unavailable
from services.chassis.postgres import Database
from tests.stores.catalog.shelves import NOW

BUCKET = "media"


class Clock:
    def __init__(self) -> None:
        # Files carry the machine's own time.
        self.now = datetime.now(NOW.tzinfo)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, on a port of its own."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(params=["file", "s3"])
def media(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> ObstoreMedia:
    if request.param == "file":
        return ObstoreMedia(f"file://{tmp_path}/media with%20space")
    endpoint = request.getfixturevalue("s3")
    import boto3

    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    bucket = f"media-{uuid4()}"
    boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=bucket)
    return ObstoreMedia(f"s3://{bucket}", object_store(settings, endpoint))


def object_store(settings: Settings, endpoint: str) -> dict[str, str]:
    """As settings tell it."""
    return msgspec.structs.replace(
        settings,
        aws_endpoint_url=endpoint,
        aws_region="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).object_store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pictures(media: ObstoreMedia, database: Database, clock: Clock) -> AsyncIterator[PictureService]:
    yield PictureService(PillowRenderer(), media, PostgresImages(database), clock)


@pytest.fixture
async def product(database: Database) -> UUID:
    category, product = uuid4(), uuid4()
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO category (id, slug, names, created_at, updated_at) VALUES ($1, $2, '{}', $3, $3)",
            category, f"category-{category}", NOW,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO product (id, category_id, slug, status, names, price, created_at, updated_at) "
            "VALUES ($1, $2, $3, 'active', '{}', 1000, $4, $4)",
            product, category, f"product-{product}", NOW,
        )  # fmt: skip
    return product


def file(colour: str = "teal", size: tuple[int, int] = (900, 600)) -> bytes:
    out = io.BytesIO()
    PillowImage.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


async def stored(media: ObstoreMedia) -> list[str]:
    return sorted([found.name async for batch in media.files() for found in batch])


async def test_a_picture_is_kept_in_its_widths_under_its_content(
    pictures: PictureService, media: ObstoreMedia, product: UUID
) -> None:
    image, version = await pictures.put(product, frozenset({1}), 0, file(), {"ko": "청록"})
    assert (image.widths, version) == ((320, 800, 900), 2)
    assert await stored(media) == sorted(f"{image.hash}-{width}.webp" for width in (320, 800, 900))
    content = await media.get(f"{image.hash}-320.webp")
    assert content is not None
    with PillowImage.open(io.BytesIO(content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (320, 213))


async def test_of_a_refused_upload_nothing_stays(
    pictures: PictureService, media: ObstoreMedia, product: UUID
) -> None:
    with pytest.raises(UnfitPicture) as refused:
        await pictures.put(product, None, 0, file()[:300], {})
    assert refused.value.fault is Fault.BROKEN
    assert await stored(media) == []


async def test_an_upload_for_an_old_version_is_refused_and_its_files_are_collected(
    pictures: PictureService, media: ObstoreMedia, product: UUID, clock: Clock
) -> None:
    with pytest.raises(Stale):
        await pictures.put(product, frozenset({7}), 0, file("orange"), {})
    with pytest.raises(UnknownProduct):
        await pictures.put(uuid4(), None, 0, file("orange"), {})
    assert await pictures.collect() == 0, "it may be of an upload that is under way"
    clock.now += timedelta(hours=2)
    assert await pictures.collect() == 3
    assert await stored(media) == []


async def test_a_picture_that_is_replaced_goes_and_one_that_is_shown_stays(
    pictures: PictureService, media: ObstoreMedia, product: UUID, clock: Clock
) -> None:
    await pictures.put(product, None, 0, file("red"), {})
    shown, _ = await pictures.put(product, None, 0, file("blue"), {})
    clock.now += timedelta(hours=2)
    assert await pictures.collect() == 3
    assert {name.partition("-")[0] for name in await stored(media)} == {shown.hash}
    await pictures.delete(product, None, 0)
    with pytest.raises(UnknownImage):
        await pictures.delete(product, None, 0)
    assert await pictures.collect() == 3


@pytest.mark.parametrize(
    "name", ["", "..", "../secret", "x.webp", "a" * 32 + "-320.png", "%2e%2e/x", "a" * 32 + "-320.webp\n"]
)
async def test_nothing_but_renditions_can_be_read(media: ObstoreMedia, name: str) -> None:
    assert await media.get(name) is None


async def test_what_is_not_there_is_none(media: ObstoreMedia) -> None:
    assert await media.get(f"{'0' * 32}-320.webp") is None


async def test_a_store_that_is_away_is_unavailable(settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    away = ObstoreMedia("s3://media", object_store(settings, address), seconds=1)
    with pytest.raises(Unavailable):
        await away.get(f"{'0' * 32}-320.webp")
    with pytest.raises(Unavailable):
        await away.put(f"{'0' * 32}-320.webp", b"x")


async def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    media = ObstoreMedia(f"file://{tmp_path}/media")
    (tmp_path / "media").rmdir()
    (tmp_path / "media").write_text("no directory any more")
    with pytest.raises(Unavailable):
        await media.put(f"{'0' * 32}-320.webp", b"x")


@contextmanager
def worker_that(monkeypatch: pytest.MonkeyPatch, code: str) -> Iterator[None]:
    """Instead of the module that reads pictures, one with `code` runs."""
    with tempfile.TemporaryDirectory() as directory, monkeypatch.context() as patch:
        (Path(directory) / "odd_worker.py").write_text(code)
        patch.syspath_prepend(directory)
        patch.setattr(picture_worker, "__name__", "odd_worker")
        yield


async def test_a_picture_that_takes_too_long_ends_with_its_process() -> None:
    with pytest.raises(UnfitPicture) as refused:
        await PillowRenderer(seconds=0.001).render(file())
    assert refused.value.fault is Fault.TOO_COSTLY
    assert (await PillowRenderer().render(file())).width == 900


async def test_a_process_that_a_picture_kills_is_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with worker_that(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"):
        with pytest.raises(UnfitPicture) as refused:
            await PillowRenderer().render(file())
        assert refused.value.fault is Fault.TOO_COSTLY


async def test_a_process_that_does_not_start_is_no_fault_of_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with worker_that(monkeypatch, "import no_such_module"), pytest.raises(RuntimeError, match="does not run"):
        await PillowRenderer().render(file())


async def test_the_process_that_reads_a_picture_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "a secret")
    honest = worker_that(monkeypatch, "import os, sys; sys.exit('DATABASE_PASSWORD' in os.environ)")
    with honest, pytest.raises(UnfitPicture):  # it ended well, and answered nothing
        await PillowRenderer().render(file())


async def test_more_pictures_than_can_wait_are_refused() -> None:
    renderer = PillowRenderer(processes=1, waiting=0)
    renderer._inside = 1
    with pytest.raises(Unavailable):
        await renderer.render(file())
