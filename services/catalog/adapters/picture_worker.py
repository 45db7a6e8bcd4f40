"""Reads one picture and makes its renditions; `pictures_pillow.py` runs this in a process of its own, so that
whatever a hostile file does ends with that process. The file comes on standard input, the outcome leaves as msgpack.
"""

import hashlib
import io
import resource
import sys
import warnings
from contextlib import suppress

import msgspec
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from services.catalog.domain.pictures import MAX_PIXELS, Fault, Rendered, Rendition, widths

_FORMATS = ("JPEG", "PNG", "WEBP")
_SMALLEST = 16
_MEMORY = 1024 * 1024 * 1024
"""Bytes of address space beyond what the process has when it begins."""
_QUALITY = 82


def main() -> None:
    _limit_memory()
    sys.stdout.buffer.write(msgspec.msgpack.encode(render(sys.stdin.buffer.read())))


def render(data: bytes) -> Rendered | Fault:
    """The picture in all its widths, upright, in sRGB, without any of its metadata."""
    try:
        with warnings.catch_warnings():
            # Pillow warns where a picture is larger than it likes; ours is the limit below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                return _refusal(image) or _rendered(image)
    except UnidentifiedImageError:
        return Fault.NOT_A_PICTURE
    except Image.DecompressionBombError:
        return Fault.TOO_MANY_PIXELS
    except MemoryError:
        return Fault.TOO_COSTLY
    except Exception:
        # Pillow's decoders raise whatever their format's code raises: OSError, SyntaxError, ValueError, struct.error.
        return Fault.BROKEN


def _refusal(image: Image.Image) -> Fault | None:
    """What the head alone tells."""
    if image.width * image.height > MAX_PIXELS:
        return Fault.TOO_MANY_PIXELS
    if min(image.size) < _SMALLEST:
        return Fault.TOO_SMALL
    return Fault.ANIMATED if getattr(image, "is_animated", False) else None


def _rendered(image: Image.Image) -> Rendered:
    upright = ImageOps.exif_transpose(_in_srgb(image))
    transparent = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if transparent else "RGB")
    renditions = []
    height = plain.height
    for width in widths(plain.width):
        height = max(1, round(plain.height * width / plain.width))
        scaled = plain if width == plain.width else plain.resize((width, height), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        scaled.save(out, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=b"")
        renditions.append(Rendition(width, out.getvalue()))
    digest = hashlib.sha256(renditions[-1].content).hexdigest()[:32]
    return Rendered(digest, renditions[-1].width, height, tuple(renditions))


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK", "L"}:
        return image
    # A profile that cannot be read is worth nothing; the picture is.
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
        if converted is not None:
            converted.info.pop("icc_profile", None)
            return converted
    return image


def _limit_memory() -> None:
    """A limit that is lower already stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - no path of ours
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, hard))


if __name__ == "__main__":
    main()
