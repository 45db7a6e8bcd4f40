"""What is made of a picture, and which files are refused, each with its reason."""

import io
import struct
import zlib

import pytest
from PIL import Image

from services.catalog.adapters.picture_worker import render
from services.catalog.domain.pictures import Fault, Rendered, widths

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(format_: str, size: tuple[int, int] = (1000, 500), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "white").save(out, format_, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head promises more than anybody wants to decode."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def rendered(data: bytes) -> Rendered:
    outcome = render(data)
    assert isinstance(outcome, Rendered), outcome
    return outcome


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_webp_in_its_widths(format_: str) -> None:
    made = rendered(picture(format_))
    assert (made.width, made.height, made.widths) == (1000, 500, (320, 800, 1000))
    for rendition in made.renditions:
        with Image.open(io.BytesIO(rendition.content)) as image:
            assert (image.format, image.width) == ("WEBP", rendition.width)


@pytest.mark.parametrize(
    ("width", "made"),
    [(16, (16,)), (320, (320,)), (321, (320, 321)), (1600, (320, 800, 1600)), (4000, (320, 800, 1600))],
)
def test_nothing_is_made_wider_than_it_is(width: int, made: tuple[int, ...]) -> None:
    assert widths(width) == made


def test_one_content_has_one_name_and_another_has_another() -> None:
    assert rendered(picture("PNG")).hash == rendered(picture("PNG")).hash
    assert rendered(picture("PNG")).hash != rendered(picture("PNG", (1000, 501))).hash


def test_it_is_turned_as_its_camera_was_held_and_says_nothing_of_the_camera() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Secret camera"
    made = rendered(picture("JPEG", exif=exif))
    assert (made.width, made.height) == (500, 1000)
    assert all(b"Secret" not in rendition.content for rendition in made.renditions)


@pytest.mark.parametrize(
    ("mode", "format_"),
    [("CMYK", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("I;16", "PNG"), ("LA", "PNG"), ("1", "PNG")],
)
def test_any_colour_mode_is_shown(mode: str, format_: str) -> None:
    image = Image.new("RGB", (64, 64), "red").convert(mode) if mode != "I;16" else Image.new(mode, (64, 64))
    out = io.BytesIO()
    image.save(out, format_)
    assert rendered(out.getvalue()).width == 64


def test_what_is_hidden_behind_the_picture_is_gone() -> None:
    polyglot = picture("JPEG") + b"PK\x03\x04 <?php system($_GET['x']); ?>"
    assert all(b"php" not in rendition.content for rendition in rendered(polyglot).renditions)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.NOT_A_PICTURE),
        (b"GIF89a" + b"\0" * 100, Fault.NOT_A_PICTURE),
        (SVG, Fault.NOT_A_PICTURE),
        (b"%PDF-1.7", Fault.NOT_A_PICTURE),
        (picture("TIFF"), Fault.NOT_A_PICTURE),
        (picture("BMP"), Fault.NOT_A_PICTURE),
        (picture("JPEG")[:400], Fault.BROKEN),
        (picture("PNG", (800, 800), "RGB")[:-40], Fault.BROKEN),
        (png_claiming(640, 640), Fault.BROKEN),
        (png_claiming(60_000, 60_000), Fault.TOO_MANY_PIXELS),
        (png_claiming(8000, 5001), Fault.TOO_MANY_PIXELS),
        (picture("PNG", (15, 100)), Fault.TOO_SMALL),
        (
            picture("WEBP", save_all=True, append_images=[Image.new("RGB", (1000, 500), "red")]),
            Fault.ANIMATED,
        ),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else str(len(value)),
)
def test_a_file_that_is_not_taken_says_why(data: bytes, fault: Fault) -> None:
    assert render(data) is fault
