"""Which pictures the shop takes, and what is made of each. Pure."""

from dataclasses import dataclass
from enum import Enum

WIDTHS = (320, 800, 1600)
"""Of what is shown, in pixels; a picture is never made wider than it is."""
MAX_PIXELS = 40_000_000
"""Of what is uploaded; known before any of it is decoded."""
MAX_POSITION = 19


class Fault(Enum):
    """Why a file is not taken; the value is the code that a page translates."""

    NOT_A_PICTURE = "not_a_picture"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    BROKEN = "broken"
    TOO_COSTLY = "too_costly"


SENTENCES = {
    Fault.NOT_A_PICTURE: "The file is not a JPEG, PNG or WebP picture.",
    Fault.ANIMATED: "The picture is animated; send a still one.",
    Fault.TOO_MANY_PIXELS: f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels.",
    Fault.TOO_SMALL: "The picture is less than 16 pixels wide or high.",
    Fault.BROKEN: "The picture is damaged or cut short.",
    Fault.TOO_COSTLY: "The picture takes too long or too much memory to read.",
}


@dataclass(frozen=True, slots=True)
class Rendition:
    """The picture in one width, as WebP."""

    width: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture in all its widths. `hash` names it by its content; `width` and `height` are the largest one's."""

    hash: str
    width: int
    height: int
    renditions: tuple[Rendition, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(rendition.width for rendition in self.renditions)


def widths(width: int) -> tuple[int, ...]:
    """The widths that are made of a picture of `width` pixels, the smallest first."""
    largest = min(width, WIDTHS[-1])
    return (*(made for made in WIDTHS if made < largest), largest)


def file_name(hash_: str, width: int) -> str:
    """What a rendition is called in the store and below `/media/`."""
    return f"{hash_}-{width}.webp"
